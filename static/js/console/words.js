// What the scripts say: the sentences are in the page, in the reader's language (templates/dispatch/parts/words.html).

export const language = document.documentElement.lang || "en";

export function say(name, values = {}) {
  const text = document.getElementById("words").dataset[name];
  return text.replace("{s}", values.s ?? "").replace("{n}", values.n ?? "");
}

let again;

// Read out at once by screen readers; the same sentence twice is said twice.
export function announce(text) {
  const place = document.getElementById("announce");
  place.textContent = "";
  clearTimeout(again);
  again = setTimeout(() => (place.textContent = text), 50);
}

// 75000 ms → "1 min", "1 Min."
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [value, unit] =
    seconds < 60 ? [seconds, "second"] : seconds < 5400 ? [Math.floor(seconds / 60), "minute"] : [Math.round(seconds / 3600), "hour"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

// Elements with data-since="moment" say for how long that is so ("for 1 min"), those with data-ago="moment" beside a time how
// long that is ago ("(1 min ago)"), by the server's clock: the page says what it was when drawn.
const page = document.getElementById("console");
const ahead = page ? Date.parse(page.dataset.now) - Date.now() : 0;

// The target of who waits for an answer: within it, close to it or over it. The sentences are in the page.
function drawTarget(place, now) {
  const { closeAt, dueAt } = place.dataset;
  const state = now >= Date.parse(dueAt) ? "over" : now >= Date.parse(closeAt) ? "close" : "within";
  place.className = `target target-${state}`;
  for (const words of place.children) words.hidden = words.dataset.target !== state;
}

export function drawDurations() {
  for (const name of ["since", "ago"]) {
    for (const place of document.querySelectorAll(`[data-${name}]:not(#words)`)) {
      place.textContent = say(name, { s: duration(Date.now() + ahead - Date.parse(place.dataset[name])) });
    }
  }
  for (const place of document.querySelectorAll("[data-due-at]")) drawTarget(place, Date.now() + ahead);
}
