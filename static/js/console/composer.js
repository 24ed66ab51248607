// The composer: drafts, sending, retrying. A text keeps its Idempotency-Key until the server has answered for it, so that a
// retry after a lost answer doubles nothing.

import { newKey, send } from "./commands.js";
import { draft, keepDraft, keepOutbox, outbox } from "./drafts.js";

const underway = new Set(); // keys being sent by this page

export function start() {
  addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-composer]");
    if (!form) return;
    event.preventDefault();
    post(form, event.submitter?.value ?? "");
  });
  addEventListener("input", (event) => {
    const form = event.target.closest("form[data-composer]");
    if (form && event.target.name === "body") keepDraft(form.dataset.composer, kindOf(form), event.target.value);
  });
  addEventListener("change", (event) => {
    const form = event.target.closest("form[data-composer]");
    if (form && event.target.name === "kind") {
      show(form);
      form.elements.body.focus();
    }
  });
  addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form[data-composer]");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      if (form.reportValidity()) post(form, "");
    }
  });
  // Another tab has typed or sent.
  addEventListener("storage", (event) => {
    const [what, ticket] = (event.key ?? "").split(":");
    const form = document.querySelector(`form[data-composer="${CSS.escape(ticket ?? "")}"]`);
    if (!form) return;
    if (what === "draft" && form.elements.body !== document.activeElement) show(form);
    if (what === "outbox") drawOutbox(ticket);
  });
  addEventListener("click", (event) => {
    const line = event.target.closest("[data-key]");
    if (!line) return;
    const ticket = line.closest("[data-outbox]").dataset.outbox;
    if (event.target.closest("[data-retry]")) retry(ticket, line.dataset.key);
    if (event.target.closest("[data-edit]")) edit(ticket, line.dataset.key);
  });
}

// Fill composers that are new in the page, and send what is waiting.
export function adopt() {
  for (const form of document.querySelectorAll("form[data-composer]:not([data-ready])")) {
    form.dataset.ready = "yes";
    if (navigator.platform?.startsWith("Mac")) form.querySelector(".composer-hint .kbd").textContent = "⌘";
    show(form);
    drawOutbox(form.dataset.composer);
  }
}

// After a reconnect: what got no answer is sent again under its old key.
export function sendWaiting() {
  for (const form of document.querySelectorAll("form[data-composer]")) {
    for (const entry of outbox(form.dataset.composer)) if (!entry.refused) deliver(form.dataset.composer, entry);
  }
}

function kindOf(form) {
  return form.elements.kind.value;
}

function show(form) {
  const body = form.elements.body;
  body.value = draft(form.dataset.composer, kindOf(form));
  body.placeholder = body.dataset[`${kindOf(form)}Hint`];
  form.dataset.kind = kindOf(form);
}

function post(form, then) {
  const ticket = form.dataset.composer;
  const entry = { key: newKey(), body: form.elements.body.value, kind: kindOf(form), then: kindOf(form) === "note" ? "" : then, at: Date.now() };
  if (!entry.body.trim()) return;
  keepOutbox(ticket, [...outbox(ticket), entry]);
  keepDraft(ticket, entry.kind, "");
  form.elements.body.value = "";
  form.elements.body.focus();
  drawOutbox(ticket);
  deliver(ticket, entry);
}

async function deliver(ticket, entry) {
  if (underway.has(entry.key)) return;
  const form = document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`);
  if (!form) return;
  underway.add(entry.key);
  drawOutbox(ticket);
  const fields = new FormData();
  for (const name of ["body", "then", "key"]) fields.set(name, entry[name]);
  let refused = null;
  try {
    const action = entry.kind === "note" ? form.querySelector(".for-note").formAction : form.action;
    const answer = await send(action, fields);
    if (answer.ok) {
      keepOutbox(ticket, outbox(ticket).filter((one) => one.key !== entry.key));
    } else refused = answer.detail;
  } catch {
    refused = false; // nobody has answered: it may have arrived or not, and goes again under the same key
  }
  underway.delete(entry.key);
  if (refused !== null) {
    keepOutbox(ticket, outbox(ticket).map((one) => (one.key === entry.key ? { ...one, failed: true, refused } : one)));
  }
  drawOutbox(ticket);
}

function retry(ticket, key) {
  const entry = outbox(ticket).find((one) => one.key === key);
  if (entry) deliver(ticket, entry);
}

// A refused text goes back to where it can be changed.
function edit(ticket, key) {
  const form = document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`);
  const entry = outbox(ticket).find((one) => one.key === key);
  if (!form || !entry) return;
  keepOutbox(ticket, outbox(ticket).filter((one) => one.key !== key));
  form.elements.kind.value = entry.kind;
  const before = draft(ticket, entry.kind);
  keepDraft(ticket, entry.kind, before ? `${entry.body}\n\n${before}` : entry.body);
  show(form);
  drawOutbox(ticket);
  form.elements.body.focus();
}

function drawOutbox(ticket) {
  const list = document.querySelector(`[data-outbox="${CSS.escape(ticket)}"]`);
  if (!list) return;
  list.replaceChildren(
    ...outbox(ticket).map((entry) => {
      const line = document.getElementById("outgoing").content.firstElementChild.cloneNode(true);
      const failed = entry.failed && !underway.has(entry.key);
      line.dataset.key = entry.key;
      line.dataset.status = failed ? "failed" : "sending";
      line.classList.toggle("note", entry.kind === "note");
      line.querySelector("[data-note]").hidden = entry.kind !== "note";
      line.querySelector(".bubble").textContent = entry.body;
      line.querySelector('[data-says="sending"]').hidden = failed;
      line.querySelector('[data-says="failed"]').hidden = !failed;
      line.querySelector("[data-detail]").textContent = entry.refused || "";
      line.querySelector("[data-retry]").hidden = !failed;
      line.querySelector("[data-edit]").hidden = !failed;
      return line;
    }),
  );
  const scroll = list.closest(".thread-scroll");
  if (scroll && list.children.length) scroll.scrollTop = scroll.scrollHeight;
}
