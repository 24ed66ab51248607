// "The customer is typing" and "Read" in the threads; what the agent types and reads is told to the customer. Notes are not.

import * as signs from "../signs.js";
import { say } from "./words.js";

const address = (ticket) => `/console/tickets/${ticket}/sign`;
const thread = (stream) => document.getElementById(`thread-${stream.replace("ticket:", "")}`);

addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-composer]");
  if (form && event.target.name === "body" && event.target.value && form.dataset.kind === "message") signs.typing(address(form.dataset.composer));
});

export function take({ stream, data }) {
  const here = thread(stream);
  if (!here || data.by !== "customer") return;
  if (data.typing) signs.show(here.querySelector("[data-typing]"), say("typing"));
  const sign = here.querySelector("[data-read]");
  if (data.read) sign.dataset.read = Math.max(data.read, Number(sign.dataset.read));
  draw();
}

// What was typed is there.
export function said(frame) {
  if (frame.type !== "message.posted" || frame.data.author !== "customer") return;
  const sign = thread(frame.stream)?.querySelector("[data-typing]");
  if (sign) signs.show(sign, "");
}

export function draw() {
  for (const sign of document.querySelectorAll(".desk-thread [data-read]")) {
    const last = [...sign.closest(".desk-thread").querySelectorAll(".thread:not(.outbox) .message:not(.note)")].at(-1);
    sign.hidden = last?.dataset.author !== "agent" || Number(sign.dataset.read) < Number(last.dataset.seq);
  }
}

export function seen(ticket, seq) {
  signs.read(address(ticket), seq);
}
