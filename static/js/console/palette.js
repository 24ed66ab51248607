// A list to choose from by typing: commands and tickets (Ctrl-K), canned replies (/). Arrows move, Enter chooses, Escape leaves.

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const title = document.getElementById("palette-title");

let items = []; // {title, hint, act}
let shown = [];
let at = 0;
let chosen = false;
let left; // called when nothing was chosen

export function start() {
  input.addEventListener("input", () => filter());
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      at = (at + step + shown.length) % shown.length;
      mark();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      take(shown[at]);
    }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(shown[Number(option.dataset.at)]);
  });
  dialog.addEventListener("close", () => {
    if (!chosen) left?.();
  });
}

// which: "commands" or "canned", whose title the page has
export function open(which, given, whenLeft) {
  if (dialog.open) return;
  items = given;
  left = whenLeft;
  chosen = false;
  title.textContent = title.dataset[which];
  input.value = "";
  filter();
  dialog.showModal();
  input.focus();
}

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = items.filter((item) => words.every((word) => `${item.title} ${item.hint ?? ""}`.toLowerCase().includes(word)));
  at = 0;
  list.replaceChildren(
    ...shown.map((item, place) => {
      const option = document.createElement("li");
      option.id = `palette-${place}`;
      option.role = "option";
      option.setAttribute("role", "option");
      option.dataset.at = place;
      const name = document.createElement("b");
      name.textContent = item.title;
      const hint = document.createElement("span");
      hint.className = "small muted";
      hint.textContent = item.hint ?? "";
      option.append(name, " ", hint);
      return option;
    }),
  );
  list.hidden = !shown.length;
  document.getElementById("palette-empty").hidden = shown.length > 0;
  mark();
}

function mark() {
  for (const option of list.children) option.setAttribute("aria-selected", String(Number(option.dataset.at) === at));
  if (shown.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
  else input.removeAttribute("aria-activedescendant");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function take(item) {
  if (!item) return;
  chosen = true;
  dialog.close();
  item.act();
}
