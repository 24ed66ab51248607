// Which of the held tickets is open, what is unread, where the thread is scrolled to.

import { read, write } from "./drafts.js";
import * as signs from "./signs.js";
import { say } from "./words.js";
import * as suggestions from "./suggestions.js";

const page = document.getElementById("console");
const narrow = matchMedia("(max-width: 47.99rem)");
export const small = matchMedia("(max-width: 47.99rem), (max-height: 40rem)"); // where an offer's answer sticks (console.css)
let chosen = page.dataset.chosen;
const woken = new Set();
const atEnd = new Map(); // thread → whether its end was in view
const fromStart = new Map(); // thread that is read from its start → how many messages it had then

export function start() {
  // On a phone the list comes first, unless the address says which ticket.
  page.dataset.view = new URLSearchParams(location.search).has("ticket") && chosen ? "thread" : "list";
  addEventListener("click", (event) => {
    const item = event.target.closest(".item a");
    if (item && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      choose(item.closest(".item").dataset.ticket, true);
    }
    if (event.target.closest("[data-back]")) {
      event.preventDefault();
      page.dataset.view = "list";
      history.replaceState(null, "", location.pathname);
      document.getElementById(`open-${chosen}`)?.focus();
      draw();
    }
  });
  document.addEventListener("visibilitychange", draw);
  narrow.addEventListener("change", draw);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.closest("dialog")) return;
    const menus = [...document.querySelectorAll("[data-menu][open]")];
    for (const menu of menus) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (!menus.length) document.querySelector(".desk-thread:not([hidden]) [data-undo]")?.click();
  });
  document.addEventListener("scroll", (event) => {
    const scroll = event.target;
    if (scroll.classList?.contains("thread-scroll")) atEnd.set(scroll.closest("article").id, isAtEnd(scroll));
  }, true);
}

// `accepted` here just now: on a small screen its first words are shown, and not its last.
export function choose(ticket, byHand = false, accepted = false) {
  chosen = ticket;
  page.dataset.view = "thread";
  history.replaceState(null, "", `?ticket=${encodeURIComponent(ticket)}`);
  const thread = document.getElementById(`thread-${ticket}`);
  if (accepted && small.matches && thread) fromStart.set(thread.id, messagesOf(thread));
  draw();
  if (!byHand) return;
  document.getElementById(`thread-title-${ticket}`)?.focus({ preventScroll: true });
  if (small.matches) thread?.scrollIntoView(); // the page may be scrolled to a card or an item that is there no more
}

// The ticket that is so many further down the list, round and round.
export function step(by) {
  const all = [...document.querySelectorAll(".item")].map((item) => item.dataset.ticket);
  if (all.length) choose(all[(all.indexOf(chosen) + by + all.length) % all.length], true);
}

// Put aside or back: the server redraws an item where it stands, this puts it into its part of the list.
function sort() {
  const parts = { true: document.getElementById("asleep"), false: document.getElementById("items") };
  for (const item of document.querySelectorAll(".item")) {
    const part = parts[item.classList.contains("item-asleep")];
    if (item.parentElement !== part) {
      const focused = item.contains(document.activeElement);
      part.append(item);
      if (focused) item.querySelector("a").focus();
    }
  }
}

// A ticket that came back by itself counts as unread until it is looked at.
export function back(ticket) {
  woken.add(ticket);
}

export function draw() {
  sort();
  const threads = [...document.querySelectorAll(".desk-thread")];
  if (!threads.some((thread) => thread.dataset.ticket === chosen)) {
    chosen = threads[0]?.dataset.ticket ?? "";
    page.dataset.view = "list";
  }
  page.dataset.held = threads.length;
  for (const thread of threads) {
    const shown = thread.dataset.ticket === chosen;
    const scroll = thread.querySelector(".thread-scroll");
    const opened = thread.hidden && shown;
    if (opened) setTimeout(suggestions.draw); // once all are as they will be
    thread.hidden = !shown;
    if (fromStart.has(thread.id)) {
      if (opened) scroll.scrollTop = 0;
      if (fromStart.get(thread.id) === messagesOf(thread)) continue;
      fromStart.delete(thread.id);
    }
    if (shown && (opened || atEnd.get(thread.id) !== false)) scroll.scrollTop = scroll.scrollHeight;
  }
  for (const item of document.querySelectorAll(".item")) {
    const ticket = item.dataset.ticket;
    const reads = ticket === chosen && document.visibilityState === "visible" && (!narrow.matches || page.dataset.view === "thread");
    item.classList.toggle("item-chosen", ticket === chosen);
    if (ticket === chosen) item.querySelector("a").setAttribute("aria-current", "true");
    else item.querySelector("a").removeAttribute("aria-current");
    drawUnread(item, ticket, reads);
  }
}

function drawUnread(item, ticket, reads) {
  const messages = [...document.querySelectorAll(`#messages-${CSS.escape(ticket)} [data-author="customer"]`)].map((one) => Number(one.dataset.seq));
  const last = Math.max(0, ...messages);
  let seen = read(`seen:${ticket}`)?.seq ?? 0;
  if (reads && last > seen) {
    seen = last;
    write(`seen:${ticket}`, { seq: last, at: Date.now() });
    signs.seen(ticket, last);
  }
  if (reads) woken.delete(ticket);
  const unread = messages.filter((seq) => seq > seen).length;
  const badge = item.querySelector("[data-unread]");
  badge.hidden = unread === 0 && !woken.has(ticket);
  badge.textContent = unread ? say("unread", { n: unread }) : say("back");
}

function isAtEnd(scroll) {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
}

function messagesOf(thread) {
  return thread.querySelectorAll(".message").length;
}
