// A accepts, D declines, W ends a wrap-up (the one in view before others): not while somebody types, not with modifiers, and not when switched off.

import { on } from "./settings.js";

export function start() {
  addEventListener("keydown", (event) => {
    if (!on("shortcuts") || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const buttons = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]:not(:disabled)`)];
    const button = buttons.find((one) => one.offsetParent) ?? buttons[0];
    if (!button) return;
    event.preventDefault();
    button.click();
  });
}
