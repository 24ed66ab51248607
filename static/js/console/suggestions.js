// What the machine found beside a chat: fetched when a thread is looked at, and when its customer has written. "Put into my answer"
// adds the text to what is written already, to be edited; only the person sends.

import { insert } from "./canned.js";

const fetched = new Map(); // ticket → number of the customer's last message that it was fetched for

export function start() {
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-use]");
    if (button) use(button);
  });
}

// Called whenever something was drawn.
export async function draw() {
  const thread = document.querySelector(".desk-thread:not([hidden])");
  const place = thread?.querySelector("[data-suggestions]");
  if (!place || !thread.querySelector("form[data-composer]")) return;
  const last = [...thread.querySelectorAll(".message-customer[id]")].at(-1)?.id ?? "";
  if (fetched.get(place) === last) return;
  fetched.set(place, last);
  try {
    const answer = await fetch(place.dataset.suggestions, { signal: AbortSignal.timeout(10000) });
    if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
  } catch {
    fetched.delete(place); // the next thing that is drawn asks again
  }
}

function use(button) {
  const form = button.closest(".desk-thread").querySelector("form[data-composer]");
  const field = form?.elements.body;
  if (!field) return;
  const message = form.querySelector("input[name=kind][value=message]");
  if (message && !message.checked) message.click();
  const text = button.closest("[data-suggestion]").querySelector("[data-text]").textContent;
  insert(field, field.value.trim() ? `\n\n${text}` : text, [field.value.length, field.value.length]);
  const body = new FormData();
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  fetch(button.dataset.use, { method: "POST", body }).catch(() => {}); // only counted
}
