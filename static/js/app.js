// What makes the agents' pages an app: registers the service worker, and wires the switches for calls where there are any.

import * as calls from "./calls.js";

const worker = navigator.serviceWorker;

async function start() {
  const registration = await worker.register("/sw.js", { scope: "/" });
  // Whoever is here has seen what they were called for.
  const seen = async () => {
    if (document.visibilityState !== "visible") return;
    for (const one of await registration.getNotifications()) one.close();
  };
  document.addEventListener("visibilitychange", seen);
  await seen();
}

if (worker) start().catch((error) => console.warn(error)); // without it, pages are pages
calls.start();
