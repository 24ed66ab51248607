// A private link was opened: its token stands in the fragment, which only this script sees. It becomes a cookie, and goes
// out of the address bar, so that it is in no history, screenshot or log.

import { patiently } from "./patience.js";

const form = document.getElementById("door");
const token = location.hash.slice(1);

async function enter() {
  const body = new URLSearchParams(new FormData(form));
  history.replaceState(null, "", location.pathname);
  let answer;
  try {
    answer = await patiently(() => fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } }));
  } catch {
    return; // offline: the field holds the token, and the button sends it
  }
  if (answer.ok) location.reload();
  else form.submit(); // the page that says what is wrong
}

if (token) {
  form.elements.token.value = token;
  enter();
}
