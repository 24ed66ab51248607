// Puts a frame's fragment into the page, by the same attributes as htmx: hx-swap-oob="true" replaces the element of that id,
// hx-swap-oob="beforeend:#id" appends to it. Without htmx, so that a customer's phone need not load it; and without its
// settling, which writes style attributes that our Content-Security-Policy forbids.

export function applyFragment(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").body;
  for (const part of [...parsed.querySelectorAll(":scope > [hx-swap-oob]")]) {
    const [how, selector] = part.getAttribute("hx-swap-oob").split(":");
    part.removeAttribute("hx-swap-oob");
    const target = document.querySelector(selector ?? `#${part.id}`);
    if (!target) continue;
    if (how === "beforeend") target.append(...part.childNodes);
    else if (how === "innerHTML") target.replaceChildren(...part.childNodes);
    else target.replaceWith(part);
  }
}
