// Sentences at the top of the page. The newest replaces the one before: nobody reads a pile.

const TEN_SECONDS = 10000;

export function notice(text, kind = "warn") {
  const made = document.getElementById("notice").content.firstElementChild.cloneNode(true);
  made.classList.add(`notice-${kind}`);
  made.querySelector("[data-text]").textContent = text;
  document.getElementById("notices").replaceChildren(made);
}

export function start() {
  const place = document.getElementById("notices");
  place.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".notice").remove());
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      // What went well may go by itself; what did not stays until it is closed or replaced.
      if (node.classList?.contains("notice") && !/notice-(warn|danger)/.test(node.className)) {
        setTimeout(() => node.matches(":hover, :focus-within") || node.remove(), TEN_SECONDS);
      }
    }
  }).observe(place, { childList: true });
}
