// Counts an offer down: from the seconds that the server says are left, by this device's monotonic clock. A wrong wall clock
// changes nothing. Said aloud at the start, at 10 and at 5 seconds.

import { small } from "./desk.js";
import { ring } from "./signals.js";
import { announce, say } from "./words.js";

const ALOUD = [10, 5];
const running = new Map(); // offer → {ends, said}; survives that the card is drawn anew

export function watch(onOver) {
  for (const card of document.querySelectorAll(".offer")) {
    if (card.dataset.watched) continue;
    card.dataset.watched = "yes";
    const left = Number(card.dataset.left);
    const known = running.get(card.dataset.offer);
    running.set(card.dataset.offer, { ends: performance.now() + left * 1000, said: known?.said ?? new Set(), over: known?.over });
    if (!known) {
      announce(say("offer", { s: card.dataset.says, n: Math.round(left) }));
      for (const second of ALOUD) if (left <= second + 1) running.get(card.dataset.offer).said.add(second);
      ring();
      reveal(card);
    }
  }
  for (const offer of running.keys()) if (!document.getElementById(`offer-${offer}`)) running.delete(offer);
  draw(onOver);
}

// A card that appears above what is read, as on a phone over an open ticket, comes into view; not while somebody writes.
function reveal(card) {
  const { top } = card.getBoundingClientRect();
  const writing = document.activeElement?.matches("textarea, input, select") || document.querySelector("dialog[open]");
  if (small.matches && !writing && (top < 0 || top > innerHeight / 2)) card.scrollIntoView();
}

export function draw(onOver) {
  for (const [offer, state] of running) {
    const card = document.getElementById(`offer-${offer}`);
    if (!card) continue;
    const left = (state.ends - performance.now()) / 1000;
    card.querySelector("progress").value = Math.max(0, left);
    card.querySelector("[data-countdown]").textContent = Math.max(0, Math.ceil(left));
    card.classList.toggle("offer-soon", left <= 10);
    for (const second of ALOUD) {
      if (left <= second && left > 0 && !state.said.has(second)) {
        state.said.add(second);
        announce(say("left", { n: second }));
      }
    }
    if (left <= 0 && !state.over) {
      state.over = true;
      announce(say("over"));
      for (const button of card.querySelectorAll("button")) button.disabled = true;
      onOver?.();
    }
  }
}
