// Signs of life, sent and shown: who is typing, and up to where the other side has read. Nothing waits for them, and one that
// gets lost is no loss.

const EVERY_MS = 3000; // at most one "typing" in so long
const SHOWN_MS = 5000; // without another one

const lastTyped = new Map(); // address → when
const fading = new WeakMap();

export function typing(address) {
  const now = performance.now();
  if (now - (lastTyped.get(address) ?? -EVERY_MS) < EVERY_MS) return;
  lastTyped.set(address, now);
  tell(address, "typing", "1");
}

export function read(address, seq) {
  tell(address, "read", seq);
}

async function tell(address, name, value) {
  const body = new FormData();
  body.set(name, value);
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!token) return;
  try {
    await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token }, keepalive: true });
  } catch {
    // in passing
  }
}

// Says it for a while; "" ends it at once.
export function show(place, words) {
  clearTimeout(fading.get(place));
  place.textContent = words;
  if (words) fading.set(place, setTimeout(() => (place.textContent = ""), SHOWN_MS));
}
