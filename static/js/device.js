// The device check of /work-with-us: what it finds is shown, and goes into a hidden field. It decides nothing.

const section = document.querySelector("[data-device-check]");

async function socket() {
  // Resolves to {works, skew}: skew in seconds, this device's clock less the server's.
  return new Promise((resolve) => {
    const door = new WebSocket(new URL("/ws/check/", location.href.replace(/^http/, "ws")));
    const done = (found) => {
      clearTimeout(timer);
      resolve(found);
      door.close();
    };
    const timer = setTimeout(() => done({ works: false }), 8000);
    door.onerror = () => done({ works: false });
    door.onmessage = (event) => done({ works: true, skew: Date.now() / 1000 - JSON.parse(event.data).now });
  });
}

function show(list, lines) {
  list.replaceChildren(
    ...lines.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

async function check() {
  const list = section.querySelector(".checks");
  const words = list.dataset;
  section.querySelector("[data-without-script]").hidden = true;
  list.hidden = false;
  const notifications = "Notification" in window ? Notification.permission : "unsupported";
  const named = { granted: words.notificationsGranted, default: words.notificationsDefault, denied: words.notificationsDenied };
  const lines = [
    named[notifications] ?? words.notificationsUnsupported,
    `${words.screen} ${screen.width} × ${screen.height}`,
  ];
  show(list, [words.checking, ...lines]);
  const found = await socket();
  const device = { socket: found.works, notifications, width: screen.width, height: screen.height };
  if (found.works) {
    device.skew_seconds = Math.round(found.skew * 10) / 10;
    lines.push(Math.abs(found.skew) < 5 ? words.clockGood : `${words.clockOff} ${Math.round(found.skew)}`);
  }
  show(list, [found.works ? words.socketYes : words.socketNo, ...lines]);
  document.querySelector("input[name=device]").value = JSON.stringify(device);
  section.dataset.checked = found.works ? "yes" : "no";
}

if (section) check();
