// Sends commands: forms with data-command, and what the composers send. Each carries the page's shift, its numbers and a key
// of its own; the answer carries what is new, so that the page is right also without its socket.

import { patiently } from "../patience.js";
import { notice } from "./notices.js";
import { say } from "./words.js";

const SLOWEST = 50; // bytes a millisecond; whoever sends files more slowly tries again from somewhere else

let context; // {take(frame), after(), gone()}

// The offers that were accepted on this page, not in another tab.
export const accepted = new Set();

export function start(given) {
  context = given;
  addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-command]");
    if (!form) return;
    event.preventDefault();
    submit(form, event.submitter);
  });
}

export function epoch() {
  return document.getElementById("presence").dataset.epoch;
}

export function newKey() {
  // randomUUID is there on HTTPS and localhost only.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function submit(form, button) {
  if (form.dataset.busy) return; // a double click is one click
  form.dataset.busy = "yes";
  form.setAttribute("aria-busy", "true");
  const action = button?.getAttribute("formaction") ?? form.action; // the property is this page's address when it is not set
  const fields = new FormData(form);
  fields.set("key", newKey());
  const offer = form.closest(".offer")?.dataset.offer;
  if (offer && action.endsWith("/accept")) accepted.add(Number(offer));
  try {
    const answer = await send(action, fields);
    const problem = form.querySelector("[data-problem]"); // in a dialog, where nobody sees the page's notices
    if (problem) {
      problem.hidden = !answer.detail;
      problem.textContent = answer.detail ?? "";
    } else if (answer.detail) notice(answer.detail);
    if (answer.ok) {
      form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer }));
      form.closest("dialog")?.close();
    }
    form.closest("[data-menu]")?.removeAttribute("open");
  } catch {
    notice(say("failed"), "danger");
  } finally {
    delete form.dataset.busy;
    form.removeAttribute("aria-busy");
  }
}

// Resolves to {ok, code?, detail?, revealed?} when the server has answered; rejects when it could not be reached, or is restarting.
export async function send(action, fields) {
  const bytes = fields.getAll("files").reduce((sum, file) => sum + file.size, 0);
  fields.set("epoch", epoch());
  fields.set("after", JSON.stringify(context.after()));
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await patiently(() =>
    fetch(action, {
      method: "POST",
      body: fields,
      headers: { Accept: "application/json", "X-CSRFToken": token },
      signal: AbortSignal.timeout(15000 + bytes / SLOWEST),
    }),
  );
  if (response.status >= 500 || !response.headers.get("Content-Type")?.includes("json")) {
    throw new Error(`status ${response.status}`);
  }
  const body = await response.json();
  for (const frame of body.frames ?? []) context.take(frame);
  if (body.code === "signed_out") context.gone();
  return { ok: response.ok, code: body.code, detail: body.detail, revealed: body.revealed };
}
