// What an agent has switched on or off on this device: sound, count in the title, shortcuts. All are on at first.

const listeners = [];

export function on(name) {
  return localStorage.getItem(`setting:${name}`) !== "off";
}

export function changed(listener) {
  listeners.push(listener);
}

export function start() {
  for (const box of document.querySelectorAll("[data-setting]")) {
    box.checked = on(box.dataset.setting);
    box.addEventListener("change", () => {
      localStorage.setItem(`setting:${box.dataset.setting}`, box.checked ? "on" : "off");
      draw();
    });
  }
  draw();
}

function draw() {
  document.documentElement.dataset.shortcuts = on("shortcuts") ? "on" : "off";
  for (const listener of listeners) listener();
}
