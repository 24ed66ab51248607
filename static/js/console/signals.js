// Sound and the count in the tab's title. The sound is made here, so there is no file to load.

import { changed, on } from "./settings.js";

let audio;
const title = document.title;

// Browsers let a page sound only after somebody has touched it.
export function start() {
  const wake = () => {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume();
  };
  addEventListener("pointerdown", wake);
  addEventListener("keydown", wake);
  changed(count);
}

// Two soft tones, upwards.
export function ring() {
  if (!on("sound") || audio?.state !== "running") return;
  for (const [place, pitch] of [660, 880].entries()) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + place * 0.18;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.45);
  }
}

export function count() {
  const offers = document.querySelectorAll(".offer").length;
  const unread = [...document.querySelectorAll("[data-unread]:not([hidden])")].length;
  const sum = offers + unread;
  (sum && on("badge") ? navigator.setAppBadge?.(sum) : navigator.clearAppBadge?.())?.catch(() => {}); // of the installed app
  document.title = sum && on("badge") ? `(${sum}) ${title}` : title;
}
