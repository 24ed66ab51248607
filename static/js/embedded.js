// Inside of the widget's frame (widget.js): tells the site's page what it may know, which is that we are there, that Esc closes,
// and how many messages came while it was closed; takes the theme's colours; opens what is not the customer's in a window of its own.

const INSIDE = /^\/($|widget\/|t\/|language\/)/;
const RULES = { accent: "color", "on-accent": "color", radius: "border-radius" };
let shown = true;
let unread = 0;

const tell = (what) => {
  if (parent !== window) parent.postMessage({ standby: what }, "*"); // frame-ancestors says who can hear it; nothing in it is secret
};

addEventListener("message", (event) => {
  if (event.source !== parent || parent === window) return;
  const said = event.data?.standby ?? {};
  if (typeof said.shown === "boolean") {
    shown = said.shown;
    if (shown) unread = 0;
  }
  for (const [name, property] of Object.entries(RULES)) {
    const value = said.theme?.[name];
    if (typeof value !== "string" || value.length > 60 || !CSS.supports(property, value) || /[\\(;]\s*(url|var|image)/i.test(value)) continue;
    const root = document.documentElement.style;
    if (name === "radius") for (const size of ["s", "m", "l"]) root.setProperty(`--radius-${size}`, value);
    else {
      root.setProperty(`--${name}`, value);
      if (name === "accent") for (const other of ["accent-hover", "accent-ink", "own"]) root.setProperty(`--${other}`, value);
      if (name === "on-accent") root.setProperty("--on-own", value);
    }
  }
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) tell({ close: true });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (link && !link.hasAttribute("download") && (link.origin !== location.origin || !INSIDE.test(link.pathname))) link.target = "_blank";
}, true);

const thread = document.getElementById("chat");
if (thread) {
  new MutationObserver((changes) => {
    if (shown) return;
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.matches?.(".message:not(.message-customer)")) unread += 1;
    if (unread) tell({ unread });
  }).observe(thread, { childList: true, subtree: true });
}

tell({ ready: true });
