// Messages on their way: shown at once, sent one after the other, kept until the server has them. Each has a key, so that
// trying again can never write it twice.

import { memory } from "./memory.js";

const KEPT = 50; // messages

export function newKey() {
  // randomUUID exists on secure origins only
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  // send(item) → resolves when the server has it, rejects with {detail, final}; final: trying again would not help.
  constructor({ name, thread, template, send, changed }) {
    Object.assign(this, { name, thread, template, send, changed });
    this.items = [];
    this.busy = false;
  }

  restore() {
    for (const { key, body } of JSON.parse(memory.getItem(this.name) ?? "[]")) this.add({ key, body, files: [] });
  }

  add({ key = newKey(), body, files = [] }) {
    const element = this.template.content.firstElementChild.cloneNode(true);
    element.querySelector(".bubble").textContent = [body, ...files.map((file) => file.name)].filter(Boolean).join("\n");
    const item = { key, body, files, element, state: "sending" };
    element.querySelector("[data-retry]").addEventListener("click", () => this.retry(item));
    element.querySelector("[data-drop]").addEventListener("click", () => this.drop(item));
    this.items.push(item);
    this.thread.append(element);
    this.keep();
    this.run();
    return item;
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    let item;
    while ((item = this.items.find((one) => one.state === "sending"))) {
      try {
        await this.send(item);
        this.remove(item);
      } catch (problem) {
        this.show(item, "failed", problem.detail ?? "");
      }
    }
    this.busy = false;
  }

  retry(item) {
    this.show(item, "sending");
    this.run();
  }

  retryAll() {
    for (const item of this.items.filter((one) => one.state === "failed")) this.retry(item);
  }

  // Not sent, and taken back: the text goes to where it was written.
  drop(item) {
    this.remove(item);
    this.changed(item);
  }

  // A message of our own came by the socket before the answer to its POST: the waiting one gives way to it.
  arrived() {
    const item = this.items.find((one) => one.state === "sending");
    item?.element.remove();
  }

  // The thread was drawn anew: what waits belongs at its end again.
  attach(thread) {
    this.thread = thread;
    for (const item of this.items) thread.append(item.element);
  }

  remove(item) {
    item.element.remove();
    this.items = this.items.filter((one) => one !== item);
    this.keep();
  }

  show(item, state, why = "") {
    item.state = state;
    const { element } = item;
    element.dataset.status = state;
    for (const part of element.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
    element.querySelector("[data-why]").textContent = why;
    for (const button of element.querySelectorAll("button")) button.hidden = state !== "failed";
    if (!element.isConnected) this.thread.append(element);
    if (state === "failed") element.scrollIntoView({ block: "nearest" });
  }

  // Text only: files cannot be kept over a reload.
  keep() {
    const waiting = this.items.filter((item) => item.body && !item.files.length).slice(-KEPT);
    if (waiting.length) memory.setItem(this.name, JSON.stringify(waiting.map(({ key, body }) => ({ key, body }))));
    else memory.removeItem(this.name);
  }
}
