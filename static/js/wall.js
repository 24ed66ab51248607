// The wallboard: parts of the page that come over the socket are put where they belong. While the socket is away the page asks
// over HTTP; when that fails too, it says since when there was no news.

import { Live } from "./live.js";

const POLL_MS = 5000;
const STALE_MS = 12000; // without a frame, a heartbeat or an answer

const wall = document.getElementById("wall");
const at = document.getElementById("wall-at");
const how = document.getElementById("wall-how");
const stale = document.getElementById("wall-stale");
const full = document.getElementById("wall-full");
const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

let heard = Date.now();
let state = "";

function put(html) {
  const holder = document.createElement("template");
  // A tbody is none outside of a table.
  holder.innerHTML = html.replace(/<tbody id="[^"]+_rows"[^]*?<\/tbody>/g, (rows) => `<table>${rows}</table>`);
  for (const part of holder.content.querySelectorAll("[data-part]")) {
    const here = document.getElementById(part.id);
    if (!here || here.outerHTML === part.outerHTML) continue;
    const focused = here.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolled = [...here.querySelectorAll(".table-scroll")].map((one) => one.scrollLeft);
    here.replaceWith(part);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    [...part.querySelectorAll(".table-scroll")].forEach((one, place) => (one.scrollLeft = scrolled[place] ?? 0));
  }
}

function news() {
  heard = Date.now();
  stale.hidden = true;
  wall.classList.remove("wall-old");
}

function onFrame(frame) {
  news();
  if (frame.type !== "snapshot") return;
  if (frame.html) put(frame.html);
  at.dateTime = frame.at;
  at.textContent = clock(new Date(frame.at));
}

function clock(moment) {
  return moment.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: wall.dataset.zone || undefined });
}

const live = new Live({
  path: "/ws/lead/",
  after: JSON.parse(document.getElementById("wall-after").textContent),
  onFrame,
  onState(now) {
    state = now;
    how.textContent = now === "connected" ? how.dataset.liveWords : how.dataset.pollWords;
  },
  onGone: () => location.reload(), // signed out: the page says so
});
live.start();

async function poll() {
  if (state === "connected" && Date.now() - heard < STALE_MS) return;
  try {
    const answer = await fetch(wall.dataset.news, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(POLL_MS) });
    if (answer.ok && !answer.redirected) for (const frame of (await answer.json()).frames) (news(), live.take(frame));
  } catch {
    // said below
  }
  if (Date.now() - heard > STALE_MS) {
    stale.textContent = stale.dataset.words.replace("{time}", clock(new Date(heard)));
    stale.hidden = false;
    wall.classList.add("wall-old");
  }
}
setInterval(poll, POLL_MS);

// Forms that come over the socket have no token of their own.
wall.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-token]") || event.target.elements.csrfmiddlewaretoken) return;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken", value: token });
  event.target.append(field);
});

if (document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : wall.requestFullscreen()));
  document.addEventListener("fullscreenchange", () => {
    full.textContent = document.fullscreenElement ? full.dataset.off : full.dataset.on;
  });
}
