/**
 * What runs in the browser: puts times into the reader's zone, fetches what is new, and says when nothing can be
 * fetched. Kept as a text, so that it is part of the program however that is packed.
 */
export const SCRIPT = `"use strict";
(() => {
  const EVERY_MS = 5000;
  const PATIENCE_MS = 8000;
  const main = document.querySelector("main");
  const notice = document.getElementById("connection");
  const language = document.documentElement.lang;
  const locale = navigator.languages.find((one) => one.toLowerCase().startsWith(language)) || language;
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const calendar = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const days = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 0]];
  const WEEK_S = 7 * 86400;
  let shownAt = Date.now();
  let timer;

  function isToday(date) {
    return date.toDateString() === new Date().toDateString();
  }

  // How far away it is, where that can be grasped; what is seconds away is now.
  function distance(date) {
    const seconds = Math.round((date.getTime() - Date.now()) / 1000);
    if (Math.abs(seconds) > WEEK_S) return "";
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length);
    return " (" + ago.format(size === 0 ? 0 : Math.trunc(seconds / size), unit) + ")";
  }

  function written(element) {
    const date = new Date(element.dateTime);
    // A day is the same day everywhere.
    if (!element.dateTime.includes("T")) return days.format(date);
    return (isToday(date) ? clock : calendar).format(date) + distance(date);
  }

  function tellTimes() {
    for (const element of document.querySelectorAll("time")) {
      const text = written(element);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function show(status) {
    // A newer program may have another page.
    if (status.version !== document.body.dataset.version) return location.reload();
    if (status.page.revision !== main.dataset.revision) {
      // The program has escaped whatever comes from outside.
      main.innerHTML = status.page.html;
      main.dataset.revision = status.page.revision;
    }
    shownAt = Date.now();
    if (notice.textContent !== "") notice.textContent = "";
  }

  function lose() {
    const text = document.body.dataset.lost.replace("{time}", clock.format(shownAt));
    if (notice.textContent !== text) notice.textContent = text;
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const response = await fetch("api/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!response.ok) throw new Error(String(response.status));
      show(await response.json());
    } catch {
      lose();
    }
    tellTimes();
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  tellTimes();
  timer = setTimeout(refresh, EVERY_MS);
})();
`;
