// Keys and commands. What a key does stands in the page, as the agent has chosen it (dispatch/keys.py): not while somebody
// types, not with modifiers, and not when switched off. Ctrl-K lists all commands and tickets, whatever the keys are.

import * as desk from "./desk.js";
import * as palette from "./palette.js";
import { on } from "./settings.js";

let actions; // [{action, words, key}]

export function start() {
  actions = JSON.parse(document.getElementById("console-actions").textContent);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) palette.open("commands", commands());
      return;
    }
    if (!on("shortcuts") || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], dialog")) return;
    if (document.querySelector("dialog[open]")) return;
    const found = actions.find((one) => one.key && one.key === event.key.toLowerCase());
    if (!found || !possible(found.action)) return;
    event.preventDefault();
    run(found.action);
  });
  addEventListener("done", (event) => {
    if (!event.target.matches("form[data-keys]")) return;
    const chosen = new FormData(event.target);
    for (const one of actions) one.key = (chosen.get(`key_${one.action}`) ?? one.key).trim().toLowerCase();
    draw();
  });
}

// The signs on the buttons.
export function draw() {
  for (const sign of document.querySelectorAll("[data-shortcut] .kbd")) {
    const { key } = actions.find((one) => one.action === sign.closest("[data-shortcut]").dataset.shortcut) ?? {};
    sign.textContent = (key ?? "").toUpperCase();
    sign.hidden = !key;
  }
}

// The button that does it: the one in view before others, so that the open ticket's comes first.
function button(action) {
  const all = [...document.querySelectorAll(`[data-shortcut="${action}"]:not(:disabled)`)];
  return all.find((one) => one.offsetParent) ?? (action === "done" || action === "undo" ? all[0] : undefined);
}

function thread() {
  return document.querySelector(".desk-thread:not([hidden])");
}

function write(kind) {
  const choice = thread().querySelector(`[name=kind][value=${kind}]`);
  if (!choice.checked) choice.click();
  thread().querySelector("[name=body]").focus();
}

const own = {
  reply: { can: () => thread()?.querySelector("[name=kind][value=message]"), act: () => write("message") },
  note: { can: () => thread()?.querySelector("[name=kind][value=note]"), act: () => write("note") },
  next: { can: () => document.querySelector(".item"), act: () => desk.step(1) },
  previous: { can: () => document.querySelector(".item"), act: () => desk.step(-1) },
  help: { can: () => true, act: () => document.getElementById("keys-link").click() },
};

function possible(action) {
  return Boolean(own[action] ? own[action].can() : button(action));
}

function run(action) {
  if (own[action]) own[action].act();
  else button(action).click();
}

function commands() {
  const tickets = [...document.querySelectorAll(".item")].map((item) => ({
    title: item.querySelector("b").textContent,
    hint: item.querySelector(".item-topic").textContent,
    act: () => desk.choose(item.dataset.ticket, true),
  }));
  const here = actions
    .filter((one) => possible(one.action))
    .map((one) => ({ title: one.words, hint: one.key.toUpperCase(), act: () => run(one.action) }));
  const presence = [...document.querySelectorAll(".switch button:not(:disabled)")].map((one) => ({
    title: one.textContent,
    hint: document.getElementById("presence-title").textContent,
    act: () => one.click(),
  }));
  return [...here, ...tickets, ...presence];
}
