// Canned replies: "/" in an empty text, or after a blank, or the button. What is chosen is put in as text, to be edited.

import { notice } from "./notices.js";
import * as palette from "./palette.js";
import { say } from "./words.js";

export function start() {
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target;
    const form = field.closest?.("form[data-composer]");
    if (!form || field.name !== "body" || form.dataset.kind !== "message") return;
    if (field.selectionStart !== field.selectionEnd || /\S$/.test(field.value.slice(0, field.selectionStart))) return;
    event.preventDefault();
    open(form, "/");
  });
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-canned]");
    if (button?.closest("form[data-composer]")) open(button.closest("form"), "");
  });
}

// typed: what is written instead when nothing is chosen
async function open(form, typed) {
  const field = form.elements.body;
  const place = [field.selectionStart, field.selectionEnd]; // the dialog takes the focus, and some browsers the place with it
  const leave = () => insert(field, typed, place);
  try {
    const answer = await fetch(form.querySelector("[data-canned]").dataset.canned, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(10000),
    });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    const { replies } = await answer.json();
    palette.open("canned", replies.map(({ title, text }) => ({ title, hint: text.slice(0, 140), act: () => insert(field, text, place) })), leave);
  } catch {
    notice(say("failed"), "danger");
    leave();
  }
}

export function insert(field, text, place) {
  field.focus();
  if (!text) return;
  field.setRangeText(text, ...place, "end");
  const left = /\{(customer|number|agent|topic)\}/.exec(field.value); // nothing was known for it: to be written by hand
  if (left) field.setSelectionRange(left.index, left.index + left[0].length);
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
