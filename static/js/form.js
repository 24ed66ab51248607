// Forms, that at / and others: one click sends once, and files that would be refused are told before they are sent.

import { watchFiles } from "./files.js";
import { localTimes } from "./times.js";

for (const form of document.querySelectorAll(".send")) localTimes(form); // other pages' forms have no times
document.getElementById("errors")?.focus();

for (const form of document.querySelectorAll("form[data-once]")) {
  for (const input of form.querySelectorAll("input[type=file]")) watchFiles(input);
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes"; // the button stays enabled: a disabled one loses the focus
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}
