// Times as the reader's device writes them: in its time zone, and the page's language.

// The page says German or English, the device perhaps which of them: 17:44 in Britain is 5:44 PM in the States.
const spoken = document.documentElement.lang.slice(0, 2);
const language = navigator.languages.find((one) => one.startsWith(spoken)) ?? spoken;
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const exact = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const otherDay = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(language, { dateStyle: "full" });
const near = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const DAY_MS = 86_400_000;

function nameOf(date) {
  const days = Math.round((new Date(date).setHours(12, 0, 0, 0) - new Date().setHours(12, 0, 0, 0)) / DAY_MS);
  const name = days === 0 || days === -1 ? near.format(days, "day") : dayName.format(date);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

// Rewrites all times below `root`; safe to do again after each change.
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    const other = time.hasAttribute("data-day") && at.toDateString() !== new Date().toDateString();
    time.textContent = (other ? otherDay : time.hasAttribute("data-seconds") ? exact : clock).format(at);
    time.title = whole.format(at);
  }
}

// Puts the day's name wherever the reader's day changes between two entries of the thread.
export function dayLines(thread) {
  for (const line of thread.querySelectorAll(".day")) line.remove();
  let before = "";
  for (const entry of thread.querySelectorAll("[data-at]")) {
    const at = new Date(entry.dataset.at);
    const day = at.toDateString();
    if (day !== before) {
      const line = document.createElement("li");
      line.className = "day";
      line.textContent = nameOf(at);
      entry.before(line);
    }
    before = day;
  }
}
