// The service worker of the agents' pages. dispatch/views/app.py puts KEPT before it: what is kept, and under which version.
// It keeps the page that says “you are offline” and what that needs, and nothing of anybody's. Everything else is the network's.

const CACHE = `standby-${KEPT.version}`;
const SPOKEN = "standby-language"; // the language of the last page that was seen
const LANGUAGE_AT = "/offline/language";
let language = "";

self.addEventListener("install", (event) => {
  const wanted = [...KEPT.files, ...Object.values(KEPT.offline)];
  const fresh = wanted.map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

async function tidy() {
  const ours = (await caches.keys()).filter((name) => name.startsWith("standby-"));
  await Promise.all(ours.filter((name) => name !== CACHE && name !== SPOKEN).map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable(); // a page need not wait until this has started
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (KEPT.files.includes(url.pathname)) event.respondWith(fetch(request).catch(async () => (await caches.match(url.pathname)) ?? Response.error()));
});

async function page(event) {
  try {
    const answer = (await event.preloadResponse) || (await fetch(event.request));
    event.waitUntil(remember(answer.headers.get("Content-Language")));
    return answer;
  } catch {
    return (await caches.match(KEPT.offline[await spoken()])) ?? Response.error();
  }
}

async function remember(seen) {
  if (!(seen in KEPT.offline) || seen === language) return;
  language = seen;
  await (await caches.open(SPOKEN)).put(LANGUAGE_AT, new Response(seen));
}

async function spoken() {
  const kept = await (await caches.open(SPOKEN)).match(LANGUAGE_AT);
  const found = kept ? await kept.text() : self.navigator.language.slice(0, 2);
  return found in KEPT.offline ? found : Object.keys(KEPT.offline)[0];
}

// --- Calls -----------------------------------------------------------------------------------------------------------

self.addEventListener("push", (event) => {
  event.waitUntil(call(event.data));
});

async function call(data) {
  const { kind, title, body, path, quiet } = data.json();
  // Who looks at the console sees the card; a call beside it would only be noise.
  if (kind === "offer" && (await windows(path)).some((one) => one.visibilityState === "visible")) return;
  await self.registration.showNotification(title, { body, tag: kind, renotify: !quiet, silent: Boolean(quiet), icon: KEPT.icon, badge: KEPT.badge, data: { path } });
}

async function windows(path) {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return open.filter((one) => new URL(one.url).pathname === path);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(come(event.notification.data.path));
});

async function come(path) {
  const [open] = await windows(path);
  if (open) await open.focus();
  else await self.clients.openWindow(path);
}
