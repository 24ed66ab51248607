// What was typed and not sent yet, one text a ticket and kind, and what was sent and not yet received. All of it lives in
// localStorage: it survives switching, reloading, a lost connection and the end of the browser.

const KEPT = 14 * 24 * 3600 * 1000; // milliseconds; texts of tickets that nobody came back to

export function draft(ticket, kind) {
  return read(`draft:${ticket}:${kind}`)?.text ?? "";
}

export function keepDraft(ticket, kind, text) {
  write(`draft:${ticket}:${kind}`, text ? { text, at: Date.now() } : null);
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
