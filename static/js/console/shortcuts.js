// A accepts, D declines: not while somebody types, not with modifiers, and not when switched off.

import { on } from "./settings.js";

export function start() {
  addEventListener("keydown", (event) => {
    if (!on("shortcuts") || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const button = document.querySelector(`[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]:not(:disabled)`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
}
