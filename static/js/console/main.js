// The console. The server draws; this wires the socket to the page, and the page to the commands.

import { Live } from "../live.js";
import * as canned from "./canned.js";
import * as commands from "./commands.js";
import * as composer from "./composer.js";
import * as countdown from "./countdown.js";
import * as desk from "./desk.js";
import * as dialogs from "./dialogs.js";
import { tidy } from "./drafts.js";
import { place } from "./fragments.js";
import * as notices from "./notices.js";
import * as palette from "./palette.js";
import * as reveal from "./reveal.js";
import * as settings from "./settings.js";
import * as shortcuts from "./shortcuts.js";
import * as deskSigns from "./signs.js";
import * as signals from "./signals.js";
import * as suggestions from "./suggestions.js";
import { announce, drawDurations, say } from "./words.js";
import * as wrapUps from "./wrap_ups.js";

const ENDS = new Set(["offer.completed", "offer.released", "wrap_up.ended"]); // of a ticket on the desk
const POLL_MS = 5000;
const DEAF_MS = 3000; // a blink of the connection needs no banner
const page = document.getElementById("console");
const banner = document.getElementById("connection");
let state = "connecting";
let bannerSoon = null;

const live = new Live({
  path: "/ws/agent/",
  after: JSON.parse(document.getElementById("console-after").textContent),
  beat: () => ({ epoch: Number(commands.epoch()) || null }),
  onFrame: show,
  onState: (now) => {
    const back = now === "connected" && state !== "connected";
    state = now;
    drawBanner();
    if (back) composer.sendWaiting();
  },
  onGone: (code) => gone(code === 4401 ? "refused" : "signed-out"),
});

function show(frame) {
  if (frame.type === "heartbeat" || frame.type === "error") return;
  if (frame.type === "sign") {
    deskSigns.take(frame);
    return;
  }
  if (frame.type === "snapshot" && frame.stream === page.dataset.stream) keepOnly([...frame.data.tickets, ...frame.data.wrap_ups.map((one) => one.ticket)]);
  deskSigns.said(frame);
  composer.gaveWay(frame); // before it is drawn: the same words never stand there twice
  if (frame.html) place(frame.html);
  if (ENDS.has(frame.type) && !frame.data.wrap_up_until) live.forget(`ticket:${frame.data.ticket}`);
  if (frame.type === "offer.accepted" && frame.data.automatic) signals.ring(); // there was no card that did
  // What was just accepted here is what the agent wants to see, unless they are writing.
  if (frame.type === "offer.accepted" && commands.accepted.delete(frame.data.offer)) {
    if (document.activeElement?.name !== "body") desk.choose(frame.data.ticket, true, true);
  }
  if (frame.type === "ticket.woke" && frame.data.reason !== "agent" && fresh(frame)) {
    signals.ring();
    desk.back(frame.stream.replace("ticket:", ""));
  }
  if (frame.type === "resolve.planned") announce(say("resolves", { n: Math.ceil((Date.parse(frame.data.resolves_at) - Date.parse(frame.at)) / 1000) }));
  if (frame.type === "resolve.undone") {
    announce(say("undone"));
    if (document.activeElement === document.body) document.getElementById(`body-${frame.data.ticket}`)?.focus(); // its button is gone
  }
  draw();
}

// Not one of long ago that is told again, such as after a night without a connection.
function fresh(frame) {
  return Date.now() - Date.parse(frame.at) < 600000;
}

function keepOnly(tickets) {
  for (const thread of document.querySelectorAll(".desk-thread")) {
    if (tickets.includes(thread.dataset.ticket)) continue;
    document.getElementById(`item-${thread.dataset.ticket}`)?.remove();
    live.forget(`ticket:${thread.dataset.ticket}`);
    thread.remove();
  }
}

function draw() {
  composer.adopt();
  desk.draw();
  deskSigns.draw();
  countdown.watch(poll);
  wrapUps.draw();
  drawDurations();
  signals.count();
  shortcuts.draw();
  suggestions.draw();
}

function drawBanner() {
  page.dataset.connection = state;
  if (state === "reconnecting" && banner.dataset.state === "connected") {
    bannerSoon ??= setTimeout(() => setBanner(state), DEAF_MS); // told again at each attempt, and begun once
  } else setBanner(state);
}

function setBanner(now) {
  clearTimeout(bannerSoon);
  bannerSoon = null;
  banner.dataset.state = now;
  for (const words of banner.querySelectorAll("[data-for]")) words.hidden = words.dataset.for !== now;
}

function gone(why) {
  live.stop();
  state = why;
  setBanner(why);
  page.inert = true; // nothing here would be accepted any more; drafts are kept
}

let polling = false;

async function poll() {
  if (polling || state === "signed-out" || state === "refused") return;
  polling = true;
  try {
    await commands.send(page.dataset.news, new FormData());
  } catch {
    // the banner says it already
  } finally {
    polling = false;
  }
}

tidy();
composer.showDrafts(JSON.parse(document.getElementById("console-drafts").textContent));
notices.start();
settings.start();
signals.start();
shortcuts.start();
desk.start();
dialogs.start();
palette.start();
reveal.start();
canned.start();
suggestions.start();
composer.start();
commands.start({ take: (frame) => live.take(frame), after: () => live.after, gone: () => gone("signed-out") });
draw();
live.start();
composer.sendWaiting();
setInterval(() => countdown.draw(poll), 200);
setInterval(wrapUps.draw, 500);
setInterval(drawDurations, 10000);
setInterval(() => state !== "connected" && navigator.onLine && poll(), POLL_MS);

document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState !== "visible" || !document.querySelector("form[data-composer]")) return;
  try {
    const answer = await fetch(page.dataset.drafts, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000) });
    if (answer.ok && !answer.redirected) composer.showDrafts((await answer.json()).drafts);
  } catch {
    // the next look finds them
  }
});

// Leaving with tickets in hand asks first: they would go to others.
const leaving = document.getElementById("leaving");
let leaveFor = null;
addEventListener("click", (event) => {
  const button = event.target.closest('[data-action="offline"]');
  if (!button || !document.querySelector(".desk-thread") || leaveFor === "offline") return;
  event.preventDefault();
  leaving.showModal();
}, true);
leaving.addEventListener("close", () => {
  leaveFor = leaving.returnValue;
  leaving.returnValue = "";
  if (leaveFor === "finish" || leaveFor === "offline") document.getElementById(`switch-${leaveFor}`)?.click();
  leaveFor = null;
});
