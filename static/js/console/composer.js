// The composer: drafts, files, sending, retrying. A text keeps its Idempotency-Key until the server has answered for it, so that a
// retry after a lost answer doubles nothing.

import { setFiles, watchComposer } from "../files.js";
import { newKey, send } from "./commands.js";
import { adoptDrafts, draft, keepDraft, keepOutbox, outbox, pageId, saveWaiting } from "./drafts.js";
import { say } from "./words.js";

const FORGOTTEN_MS = 600000; // a page that sends files has been answered by then, or is no more

const underway = new Set(); // keys being sent by this page
const arrived = new Set(); // those of them whose message has come back by the socket already
const chosen = new Map(); // "ticket:kind" → files that were chosen and not sent; those of a note never go to the customer
const carried = new Map(); // key → files on their way; only the page in which they were chosen has them

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
    watchComposer(form, () => {
      chosen.set(drawer(form), [...form.elements.files.files]);
      needText(form);
    });
    const refused = form.elements.body.defaultValue; // sent without scripts, and shown again by the server
    if (refused && !draft(form.dataset.composer, kindOf(form))) keepDraft(form.dataset.composer, kindOf(form), refused);
    if (navigator.platform?.startsWith("Mac")) form.querySelector(".composer-hint .kbd").textContent = "⌘";
    form.querySelector("[data-canned]").hidden = false;
    show(form);
    drawOutbox(form.dataset.composer);
  }
}

// Texts that were typed on another device.
export function showDrafts(drafts) {
  for (const ticket of adoptDrafts(drafts)) {
    const form = document.querySelector(`form[data-composer="${CSS.escape(ticket)}"][data-ready]`);
    if (form) show(form);
  }
}

// After a reconnect: what got no answer is sent again under its old key.
export function sendWaiting() {
  saveWaiting();
  for (const form of document.querySelectorAll("form[data-composer]")) {
    for (const entry of outbox(form.dataset.composer)) if (!entry.refused) deliver(form.dataset.composer, entry);
  }
}

function kindOf(form) {
  return form.elements.kind.value;
}

function drawer(form) {
  return `${form.dataset.composer}:${kindOf(form)}`;
}

function show(form) {
  const body = form.elements.body;
  body.value = draft(form.dataset.composer, kindOf(form));
  body.placeholder = body.dataset[`${kindOf(form)}Hint`];
  form.dataset.kind = kindOf(form);
  setFiles(form, chosen.get(drawer(form)) ?? []);
  needText(form);
}

function needText(form) {
  form.elements.body.required = !form.elements.files.files.length;
}

function post(form, then) {
  const ticket = form.dataset.composer;
  const files = [...form.elements.files.files];
  const entry = {
    key: newKey(),
    body: form.elements.body.value,
    files: files.map((file) => file.name),
    page: pageId,
    kind: kindOf(form),
    then: kindOf(form) === "note" ? "" : then,
    at: Date.now(),
  };
  form.elements.body.focus();
  if (!entry.body.trim() && !files.length) return;
  keepOutbox(ticket, [...outbox(ticket), entry]);
  keepDraft(ticket, entry.kind, "");
  if (files.length) carried.set(entry.key, files);
  chosen.delete(drawer(form));
  form.querySelector("[role=alert]")?.remove(); // of what was refused before
  show(form);
  drawOutbox(ticket);
  deliver(ticket, entry);
}

async function deliver(ticket, entry) {
  if (underway.has(entry.key) || lacksFiles(entry)) return;
  const form = document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`);
  if (!form) return;
  underway.add(entry.key);
  drawOutbox(ticket);
  const fields = new FormData();
  for (const name of ["body", "then", "key"]) fields.set(name, entry[name]);
  for (const file of carried.get(entry.key) ?? []) fields.append("files", file);
  let refused = null;
  try {
    const action = entry.kind === "note" ? form.querySelector(".for-note").formAction : form.action;
    const answer = await send(action, fields);
    if (answer.ok) {
      keepOutbox(ticket, outbox(ticket).filter((one) => one.key !== entry.key));
      carried.delete(entry.key);
    } else refused = answer.detail;
  } catch {
    refused = false; // nobody has answered: it may have arrived or not, and goes again under the same key
  }
  underway.delete(entry.key);
  arrived.delete(entry.key);
  if (refused !== null) {
    keepOutbox(ticket, outbox(ticket).map((one) => (one.key === entry.key ? { ...one, failed: true, refused } : one)));
  }
  drawOutbox(ticket);
}

// Our own message came by the socket before the answer to its POST: the waiting one gives way to it.
export function gaveWay(frame) {
  const kind = { "message.posted": "reply", "note.added": "note" }[frame.type];
  if (!kind || frame.data.author !== "agent") return;
  const ticket = frame.stream.replace("ticket:", "");
  const entry = outbox(ticket).find((one) => underway.has(one.key) && !arrived.has(one.key) && (one.kind === "note") === (kind === "note"));
  if (!entry) return;
  arrived.add(entry.key);
  drawOutbox(ticket);
}

function retry(ticket, key) {
  const entry = outbox(ticket).find((one) => one.key === key);
  if (entry) deliver(ticket, entry);
}

// Without its files a message would be another one, and its key is for the first.
function lacksFiles(entry) {
  return Boolean(entry.files?.length) && !carried.has(entry.key);
}

// Whether nobody will send it any more: this page had the files before it was reloaded, or another one, long ago.
function isForgotten(entry) {
  return lacksFiles(entry) && (entry.failed || entry.page === pageId || Date.now() - entry.at > FORGOTTEN_MS);
}

// What was refused goes back to where it can be changed.
function edit(ticket, key) {
  const form = document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`);
  const entry = outbox(ticket).find((one) => one.key === key);
  if (!form || !entry) return;
  keepOutbox(ticket, outbox(ticket).filter((one) => one.key !== key));
  // In a wrap-up there are notes only: what was meant for the customer comes back as one.
  if (form.elements.kind instanceof RadioNodeList) form.elements.kind.value = entry.kind;
  const before = draft(ticket, kindOf(form));
  keepDraft(ticket, kindOf(form), [entry.body, before].filter(Boolean).join("\n\n"));
  if (carried.has(key)) chosen.set(drawer(form), [...carried.get(key), ...(chosen.get(drawer(form)) ?? [])]);
  carried.delete(key);
  show(form);
  drawOutbox(ticket);
  form.elements.body.focus();
}

function drawOutbox(ticket) {
  const list = document.querySelector(`[data-outbox="${CSS.escape(ticket)}"]`);
  if (!list) return;
  list.replaceChildren(
    ...outbox(ticket).filter((entry) => !arrived.has(entry.key)).map((entry) => {
      const line = document.getElementById("outgoing").content.firstElementChild.cloneNode(true);
      const forgotten = isForgotten(entry);
      const failed = (entry.failed || forgotten) && !underway.has(entry.key);
      line.dataset.key = entry.key;
      line.dataset.status = failed ? "failed" : "sending";
      line.classList.toggle("note", entry.kind === "note");
      line.querySelector("[data-note]").hidden = entry.kind !== "note";
      line.querySelector(".bubble").textContent = [entry.body, ...(entry.files ?? [])].filter(Boolean).join("\n");
      line.querySelector('[data-says="sending"]').hidden = failed;
      line.querySelector('[data-says="failed"]').hidden = !failed;
      line.querySelector("[data-detail]").textContent = entry.refused || (forgotten ? say("filesLost") : "");
      line.querySelector("[data-retry]").hidden = !failed || forgotten;
      line.querySelector("[data-edit]").hidden = !failed;
      return line;
    }),
  );
  const scroll = list.closest(".thread-scroll");
  if (scroll && list.children.length) scroll.scrollTop = scroll.scrollHeight;
}
