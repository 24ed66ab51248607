// What was masked and asked for: put into this page, and kept nowhere else. The next load has it masked again.

export function start() {
  addEventListener("done", (event) => {
    const shown = event.detail?.revealed;
    if (!shown) return;
    const dialog = event.target.closest("dialog");
    // Once it is closed the focus is back on the link, which goes away with what it stands for.
    if (dialog) dialog.addEventListener("close", () => put(shown), { once: true });
    else put(shown);
  });
}

function put(shown) {
  const place = document.getElementById(`${shown.place.startsWith("message-") ? `m-${shown.ticket}-${shown.place.slice(8)}` : `${shown.place}-${shown.ticket}`}`);
  if (!place) return; // it has left the desk meanwhile
  const text = place.querySelector("[data-masked]");
  if (text) text.textContent = shown.text;
  for (const [id, name] of Object.entries(shown.files)) {
    const file = place.querySelector(`[data-file="${CSS.escape(id)}"]`);
    if (file) file.textContent = name;
  }
  place.querySelector(".reveal")?.remove();
  place.dataset.revealed = "";
  place.tabIndex = -1;
  place.focus();
}
