// Times as the reader's device writes them: in its time zone, and the page's language.

// The page says German or English, the device perhaps which of them: 17:44 in Britain is 5:44 PM in the States.
const spoken = document.documentElement.lang.slice(0, 2);
const language = navigator.languages.find((one) => one.startsWith(spoken)) ?? spoken;
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const exact = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const otherDay = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(language, { dateStyle: "full" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "long" });
const date = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const near = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const DAY_MS = 86_400_000;

function nameOf(date) {
  const days = Math.round((new Date(date).setHours(12, 0, 0, 0) - new Date().setHours(12, 0, 0, 0)) / DAY_MS);
  const name = days === 0 || days === -1 ? near.format(days, "day") : dayName.format(date);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}

// What is near, as people say it in a sentence: "today, 18:30"; the same words as tickets/calendars.py has, on another clock.
function nearby(at) {
  const days = Math.round((new Date(at).setHours(12, 0, 0, 0) - new Date().setHours(12, 0, 0, 0)) / DAY_MS);
  const hour = spoken === "de" ? `${clock.format(at)} Uhr` : clock.format(at);
  return `${days === 0 || days === 1 ? near.format(days, "day") : (days > 1 && days < 7 ? weekday : date).format(at)}, ${hour}`;
}

// Rewrites all times below `root`; safe to do again after each change.
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    const other = time.hasAttribute("data-day") && at.toDateString() !== new Date().toDateString();
    if (time.hasAttribute("data-near")) time.textContent = nearby(at);
    else time.textContent = (other ? otherDay : time.hasAttribute("data-seconds") ? exact : clock).format(at);
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
