// Puts fragments into the page. Before htmx swaps them, two things are taken out: parts marked data-once that the page has
// already (a composer that somebody types in, a message that came by socket and by answer) where they would be added to a
// list; and parts for which this page has no place.

import { apply } from "../live.js";

export function place(html) {
  const parts = document.createElement("template");
  parts.innerHTML = html;
  for (const once of parts.content.querySelectorAll('[hx-swap-oob^="beforeend"] [data-once]')) {
    if (once.id && document.getElementById(once.id)) once.remove();
  }
  for (const part of parts.content.querySelectorAll("[hx-swap-oob]")) {
    const [, selector] = part.getAttribute("hx-swap-oob").split(":");
    if (!document.querySelector(selector ?? `#${CSS.escape(part.id)}`)) part.remove();
    else if (selector && part.getAttribute("hx-swap-oob").startsWith("beforeend") && !part.children.length) part.remove();
  }
  if (parts.content.children.length) apply({ html: parts.innerHTML });
}
