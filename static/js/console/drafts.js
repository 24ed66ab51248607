// What was typed and not sent yet, one text a ticket and kind, and what was sent and not yet received. All of it lives in
// localStorage: it survives switching, reloading, a lost connection and the end of the browser. Drafts are saved on the server
// too, so that another device has them; there the last writer wins, and a number says whose text is newer.

const KEPT = 14 * 24 * 3600 * 1000; // milliseconds; texts of tickets that nobody came back to

const SAVE_MS = 700; // after the last key
const saving = new Map(); // name → timer, or "now" while a save is on its way

export function draft(ticket, kind) {
  return read(`draft:${ticket}:${kind}`)?.text ?? "";
}

// {text, at, number: of the server's draft that it was made from, dirty: the server does not have it yet}
export function keepDraft(ticket, kind, text) {
  const name = `draft:${ticket}:${kind}`;
  const before = read(name);
  if (!text && !before) return;
  write(name, { text, at: Date.now(), number: before?.number ?? 0, dirty: true });
  saveSoon(ticket, kind);
}

function saveSoon(ticket, kind) {
  const name = `draft:${ticket}:${kind}`;
  if (saving.get(name) === "now") return; // it looks again when it is through
  clearTimeout(saving.get(name));
  saving.set(name, setTimeout(() => save(ticket, kind), SAVE_MS));
}

// One save at a time, so that the last one that the server sees is the last one typed.
async function save(ticket, kind) {
  const name = `draft:${ticket}:${kind}`;
  const sent = read(name);
  saving.delete(name);
  if (!sent?.dirty || !document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`)) return;
  saving.set(name, "now");
  let number;
  try {
    const body = new FormData();
    body.set("kind", kind);
    body.set("body", sent.text);
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(`/console/tickets/${ticket}/draft`, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": token },
      signal: AbortSignal.timeout(10000),
    });
    if (answer.ok) number = (await answer.json()).number;
  } catch {
    // it stays dirty, and goes with the next key or when the connection is back
  }
  saving.delete(name);
  const now = read(name);
  if (!number || !now) return; // none: the ticket has left the desk
  const dirty = now.text !== sent.text;
  write(name, { ...now, number: Math.max(number, now.number ?? 0), dirty });
  if (dirty) saveSoon(ticket, kind);
}

export function saveWaiting() {
  for (const name of Object.keys(localStorage)) {
    const [what, ticket, kind] = name.split(":");
    if (what === "draft" && read(name)?.dirty && document.querySelector(`form[data-composer="${CSS.escape(ticket)}"]`)) saveSoon(ticket, kind);
  }
}

// What the server has, when it is newer than what this browser made: typed on another device. Returns the tickets concerned.
export function adoptDrafts(drafts) {
  const newer = new Set();
  for (const [ticket, kinds] of Object.entries(drafts)) {
    for (const [kind, { body, number }] of Object.entries(kinds)) {
      const name = `draft:${ticket}:${kind}`;
      const here = read(name);
      if (here?.dirty || number <= (here?.number ?? 0)) continue;
      write(name, { text: body, at: Date.now(), number, dirty: false });
      newer.add(ticket);
    }
  }
  return newer;
}

// Entries {key, body, files: names, page, kind, then, failed?, refused?, at}, oldest first.
export function outbox(ticket) {
  return read(`outbox:${ticket}`)?.entries ?? [];
}

export function keepOutbox(ticket, entries) {
  write(`outbox:${ticket}`, entries.length ? { entries, at: Date.now() } : null);
}

// The same after a reload, another in another tab.
export const pageId = (sessionStorage.page ??= String(Math.random()).slice(2));

export function tidy() {
  for (const name of Object.keys(localStorage)) {
    if (/^(draft|outbox|seen):/.test(name) && Date.now() - (read(name)?.at ?? 0) > KEPT) localStorage.removeItem(name);
  }
}

export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // full or forbidden: then it lives as long as the page
  }
}
