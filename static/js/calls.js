// “Tell me about offers on this device”, “Call me when it is busy”, a team lead's “Tell me about alerts”: each consent is asked
// for by its own click only.

const form = document.querySelector("form[data-calls]");
const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

export function start() {
  if (!form) return;
  form.querySelector("[data-calls-cannot]").hidden = can;
  if (!can) return;
  for (const button of switches()) {
    button.hidden = false;
    button.addEventListener("click", () => choose(button));
  }
  show().catch(() => {}); // without a network they show what the page said: off
}

const switches = () => form.querySelectorAll("[data-call]");
const isOn = (button) => button.getAttribute("aria-checked") === "true";
const says = form?.querySelector("[data-calls-say]");

function say(name) {
  says.textContent = name ? form.querySelector(`[data-word="${name}"]`).content.textContent : "";
}

// What the server knows of this browser. A subscription that it does not know any more is none.
async function show() {
  const subscription = await subscribed();
  if (subscription) draw(await post(form.dataset.state, { endpoint: subscription.endpoint }));
}

function draw(wishes) {
  for (const button of switches()) button.setAttribute("aria-checked", String(Boolean(wishes[button.dataset.call])));
}

async function choose(button) {
  const wishes = Object.fromEntries([...switches()].map((one) => [one.dataset.call, one === button ? !isOn(one) : isOn(one)]));
  for (const one of switches()) one.setAttribute("aria-disabled", "true");
  say("");
  try {
    draw(await keep(wishes));
    say(isOn(button) ? "on" : "off");
  } catch (error) {
    say(error.message === "denied" ? "denied" : "failed");
  } finally {
    for (const one of switches()) one.removeAttribute("aria-disabled");
  }
}

async function keep(wishes) {
  const wanted = Object.values(wishes).some(Boolean);
  if (wanted && (await Notification.requestPermission()) !== "granted") throw new Error("denied");
  let subscription = await subscribed();
  if (wanted && !subscription) subscription = await subscribe();
  if (!subscription) return wishes;
  const { endpoint, keys } = subscription.toJSON();
  const kept = await post(form.action, { endpoint, p256dh: keys.p256dh, auth: keys.auth, ...wishes });
  if (!kept.kept) await subscription.unsubscribe(); // nobody has said yes to anything here
  return kept;
}

async function subscribed() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager.getSubscription();
}

async function subscribe() {
  const { pushManager } = await navigator.serviceWorker.ready;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.pushKey });
}

async function post(url, fields) {
  const body = new FormData(form); // its CSRF token
  for (const [name, value] of Object.entries(fields)) body.set(name, typeof value === "boolean" ? Number(value) : value);
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error("failed");
  return answer.json();
}
