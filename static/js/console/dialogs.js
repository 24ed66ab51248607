// Links that the server answers with a page of their own, shown here in a dialog: the page without its frame.

import { notice } from "./notices.js";
import { say } from "./words.js";

export function start() {
  addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link);
    }
    // Whoever opens the field of an own time means it.
    if (event.target.matches("[data-chooses]")) document.getElementById(event.target.dataset.chooses).checked = true;
    if (event.target.closest("[data-dismiss]")) event.target.closest("dialog").close();
  });
}

async function open(link) {
  const dialog = document.getElementById(link.dataset.dialog);
  try {
    const answer = await fetch(`${link.href}?part=1`, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    dialog.innerHTML = await answer.text();
  } catch {
    notice(say("failed"), "danger");
    return;
  }
  dialog.showModal();
  dialog.querySelector("select, textarea, input:not([type=hidden]):not([type=radio]), input:checked, input[type=radio]")?.focus();
}
