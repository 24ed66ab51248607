// Counts wrap-ups down, in the list and above the thread: from the seconds that the server says are left, by this device's
// monotonic clock. The server ends them; nothing is done here at zero.

const ends = new WeakMap(); // place → when it ends

export function draw() {
  for (const place of document.querySelectorAll("[data-wrap-left]")) {
    if (!ends.has(place)) ends.set(place, performance.now() + Number(place.dataset.wrapLeft) * 1000);
    const left = Math.max(0, (ends.get(place) - performance.now()) / 1000);
    place.textContent = Math.ceil(left);
    const bar = place.closest(".wrap-up")?.querySelector("progress");
    if (bar) bar.value = left;
  }
}
