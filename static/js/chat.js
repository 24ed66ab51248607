// The ticket's page: live by the socket, by polling while the socket is down, and always by the answers to its own POSTs.
// Without this script everything works by plain forms.

import { setFiles, watchComposer } from "./files.js";
import { applyFragment } from "./fragments.js";
import { Live } from "./live.js";
import { memory } from "./memory.js";
import { Outbox } from "./outbox.js";
import { patiently } from "./patience.js";
import * as signs from "./signs.js";
import { dayLines, localTimes } from "./times.js";

const POLL_MS = 5000;
const PATIENCE_MS = 2500; // a connection may blink for so long before we speak of it
const AGAIN_MS = 3000; // after the device was back
const SPOKEN_MS = 5000; // long enough to have been picked up
const NEAR_END = 160; // pixels; who is that close to the end wants to see what comes

const chat = document.getElementById("chat");
const announcer = document.getElementById("announce");
const banner = document.getElementById("connection");
const toEnd = document.getElementById("to-end");
const { ticket, stream } = chat.dataset;
const title = document.title;
const draftName = `draft:${ticket}`;
const thread = () => document.getElementById("thread");
const readSign = document.getElementById("read");
const typingSign = document.getElementById("typing");
const signAddress = `${location.pathname}sign`;
let readHere = 0;
const draft = () => document.querySelector("textarea[data-draft]");

let state = "connecting";
let unread = 0;
let speaking;

if (location.hash.length > 20) history.replaceState(null, "", location.pathname); // the link again: it has done its work

// --- Talking to the server --------------------------------------------------------------------------------------------

async function post(action, body) {
  body.set("after", live.after[stream]);
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  return taken(await patiently(() => fetch(action, { method: "POST", body, headers: { Accept: "application/json" } })));
}

async function taken(answer) {
  const json = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw { detail: json.detail, status: answer.status };
  for (const frame of json.frames ?? []) live.take(frame);
}

async function poll() {
  if (state === "connected" || document.hidden) return;
  try {
    await taken(await fetch(`${chat.dataset.news}?after=${live.after[stream]}`, { headers: { Accept: "application/json" } }));
  } catch (problem) {
    if (problem.status === 404) location.reload(); // the link was withdrawn
  }
}

// --- What comes -------------------------------------------------------------------------------------------------------

function onFrame(frame) {
  if (frame.type === "sign") {
    if (frame.data.by === "agent" && frame.data.typing) signs.show(typingSign, typingSign.dataset.says.replace("{s}", typingSign.dataset.agent));
    if (frame.data.by === "agent" && frame.data.read) readSign.dataset.read = Math.max(frame.data.read, Number(readSign.dataset.read));
    drawRead();
    return;
  }
  if (frame.type === "ticket.erased") location.reload(); // by another device: the link opens nothing any more
  if (frame.type === "heartbeat" || !frame.html) return;
  if (frame.type === "ticket.held") typingSign.dataset.agent = frame.data.agent_name;
  if (frame.type === "message.posted" && frame.data.author !== "customer") signs.show(typingSign, "");
  const mine = frame.type === "message.posted" && frame.data.author === "customer";
  const atEnd = nearEnd() || inSight(thread().lastElementChild);
  const focused = document.activeElement;
  const writing = focused?.matches("[data-draft]") ? [focused.selectionStart, focused.selectionEnd] : null;
  const acting = focused?.closest("#reply, #helped, #human, #status");
  const address = document.getElementById("email-now");
  if (mine) outbox.arrived();
  keepDraft();
  applyFragment(frame.html);
  outbox.attach(thread());
  keepAddress(address, focused);
  polish();
  drawRead();
  if (acting && !acting.isConnected && document.activeElement?.id !== "email-now") {
    // What had the focus was drawn anew: who was writing writes on, who pressed a button hears what became of it.
    const next = (writing && draft()) ?? document.querySelector("#reply [data-focus]") ?? document.getElementById("status");
    next.focus({ preventScroll: true });
    if (writing && next === draft()) next.setSelectionRange(...writing);
  }
  if (frame.type === "ticket.resolved") document.getElementById("human").scrollIntoView({ block: "start" });
  else if (mine) scrollToEnd();
  else if (atEnd) showNewest();
  else if (frame.type === "message.posted") toEnd.hidden = false;
  if (!mine) tell(frame);
}

// "Read" under the last message, when it is our own and somebody has read it; and what we have read is told.
function drawRead() {
  const last = [...thread().querySelectorAll(".message[id^='e-']")].at(-1);
  const seq = Number(last?.id.slice(2) ?? 0);
  readSign.hidden = !last?.matches(".message-customer") || Number(readSign.dataset.read) < seq;
  if (document.hidden || last?.matches(".message-customer") || seq <= readHere) return;
  readHere = seq;
  signs.read(signAddress, seq);
}

function tell(frame) {
  if (frame.type === "message.posted") say(`${frame.data.author_name}: ${frame.data.body || frame.data.attachments.map((file) => file.name).join(", ")}`);
  else if (frame.type !== "snapshot") say(document.querySelector("#status .status-line").textContent);
  if (frame.type === "message.posted" && document.hidden) {
    unread += 1;
    document.title = `(${unread}) ${title}`;
  }
}

// For screen readers. It goes again, so that nobody who reads on finds everything twice.
function say(text) {
  const words = Object.assign(document.createElement("p"), { textContent: text });
  announcer.append(words);
  setTimeout(() => words.remove(), SPOKEN_MS);
}

function nearEnd() {
  return innerHeight + scrollY > document.documentElement.scrollHeight - NEAR_END;
}

function scrollToEnd() {
  toEnd.hidden = true;
  scrollTo({ top: document.documentElement.scrollHeight });
}

// An address that is being typed stays while its form is drawn anew, as with each change of the place in the queue.
function keepAddress(before, focused) {
  const now = document.getElementById("email-now");
  if (!before || !now || before === now) return;
  now.value = before.value;
  if (focused === before) now.focus({ preventScroll: true });
}

// Nowhere if it is on the screen; to the end, or, where the newest message is longer than what is seen of the thread, to where
// it begins.
function showNewest() {
  if (inSight(thread().lastElementChild)) return;
  scrollToEnd();
  const newest = [...thread().querySelectorAll(".message")].at(-1);
  if (newest && newest.getBoundingClientRect().top < 0) newest.scrollIntoView({ block: "start" });
}

// Whether a line of the thread ends on the screen, above the reply, which may be before it.
function inSight(line) {
  const { bottom } = line?.getBoundingClientRect() ?? { bottom: -1 };
  return bottom > 0 && bottom <= document.querySelector(".chat-reply").getBoundingClientRect().top;
}

function onState(next) {
  if (next === state) return;
  chat.dataset.live = state = next;
  clearTimeout(speaking);
  speaking = setTimeout(show, next === "connected" ? 0 : PATIENCE_MS);
  if (next === "connected") outbox.retryAll();
}

function show() {
  banner.dataset.state = state;
  for (const words of banner.children) words.hidden = words.dataset.when !== state;
}

// --- What is written --------------------------------------------------------------------------------------------------

function keepDraft() {
  const text = draft()?.value ?? "";
  if (text) memory.setItem(draftName, text);
  else memory.removeItem(draftName);
}

function polish() {
  localTimes(document.body);
  dayLines(thread());
  const field = draft();
  if (field && !field.value) field.value = memory.getItem(draftName) ?? "";
  const composer = document.querySelector("[data-composer]:not([data-watched])");
  if (composer) {
    composer.dataset.watched = "yes";
    watchComposer(composer);
  }
}

function sendMessage(form) {
  const field = form.elements.body;
  const files = [...form.elements.files.files];
  const body = field.value.trim();
  if (!body && !files.length) {
    field.focus();
    return;
  }
  field.value = "";
  setFiles(form, []);
  keepDraft();
  outbox.add({ body, files });
  scrollToEnd();
  field.focus();
}

async function command(form, submitter) {
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  try {
    await post(form.action, new FormData(form, submitter));
    if (form.querySelector("[data-draft]")) memory.removeItem(draftName);
    if (draft()) draft().value = memory.getItem(draftName) ?? "";
  } catch (problem) {
    if (!problem.detail) form.submit(); // whatever it is, the plain way shows a page
    else notice(problem.detail);
  } finally {
    delete form.dataset.sent;
  }
}

function notice(text) {
  const note = document.createElement("p");
  note.className = "notice notice-warn";
  note.textContent = text;
  document.getElementById("notices").replaceChildren(note);
  note.scrollIntoView({ block: "nearest" });
}

const live = new Live({
  path: `/ws/tickets/${ticket}/`,
  after: { [stream]: Number(chat.dataset.seq) },
  onFrame,
  onState,
  onGone: () => location.reload(),
});

const outbox = new Outbox({
  name: `outbox:${ticket}`,
  thread: thread(),
  template: document.getElementById("pending"),
  async send({ key, body, files }) {
    const form = new FormData();
    form.set("key", key);
    form.set("body", body);
    for (const file of files) form.append("files", file);
    await post(document.querySelector("[data-composer]")?.getAttribute("action") ?? `/t/${ticket}/messages`, form);
  },
  changed({ body }) {
    const field = draft();
    field.value = [body, field.value].filter(Boolean).join("\n");
    keepDraft();
    field.focus();
  },
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-composer]")) sendMessage(form);
  else if (form.matches("[data-command]")) command(form, event.submitter);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.target.form.requestSubmit();
  }
});
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-draft]")) return;
  keepDraft();
  if (event.target.value && event.target.closest("[data-composer]")) signs.typing(signAddress);
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.done;
    say(button.dataset.done);
  } catch {
    field.select(); // no permission: the browser's own copying works
  }
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = title;
  drawRead();
  poll();
});
addEventListener("scroll", () => nearEnd() && (toEnd.hidden = true), { passive: true });
// Once more a moment later: a device says that it is back before its first request gets through.
addEventListener("online", () => {
  outbox.retryAll();
  setTimeout(() => outbox.retryAll(), AGAIN_MS);
});
toEnd.addEventListener("click", scrollToEnd);
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

polish();
drawRead();
outbox.restore();
show();
live.start();
setInterval(poll, POLL_MS);
document.getElementById("errors")?.focus();
if (matchMedia("(min-width: 60rem)").matches) document.querySelector(".chat-about details").open = true;
const unseen = document.getElementById("new-since");
if (unseen) unseen.scrollIntoView({ block: "start" });
else showNewest();
