// What a page gains with a script: times in the viewer's zone, news without a reload, zoom. All of it works without.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.cookie = `portgauge_zone=${encodeURIComponent(zone)}; path=/; SameSite=Lax; max-age=31536000`;
const clock = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"});
const hours = new Intl.DateTimeFormat("en-GB", {hour: "2-digit"});

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = (time.hasAttribute("data-hour") ? hours : clock).format(new Date(time.dateTime));
  }
}

// Only what changed is replaced, and nothing that somebody has the focus in: typing must not be lost.
async function renew() {
  const answer = await fetch(location.href, {credentials: "same-origin"});
  if (answer.status === 401) { location.reload(); return; }
  if (!answer.ok) { throw new Error(`status ${answer.status}`); }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  localise(fresh);
  const old = document.querySelectorAll("[data-live]"), made = fresh.querySelectorAll("[data-live]");
  const ids = nodes => Array.from(nodes, node => node.id).join();
  if (ids(old) !== ids(made)) {
    if (!document.querySelector("main :focus")) { document.querySelector("main").replaceWith(fresh.querySelector("main")); zoomable(); }
    return;
  }
  for (const part of made) {
    const now = document.getElementById(part.id);
    if (now.outerHTML !== part.outerHTML && !now.contains(document.activeElement) && !(drag && now === drag.chart)) {
      const scrolled = Array.from(now.querySelectorAll(".wide"), one => one.scrollLeft);
      now.replaceWith(part);
      part.querySelectorAll(".wide").forEach((one, index) => { one.scrollLeft = scrolled[index] || 0; });
    }
  }
  zoomable();
}

// At most one renewal at a time, and a pause as long as ten times what the last one took, 1 s at least.
let waiting = false, busy = false;
async function due() {
  if (!document.querySelector("[data-live]")) { return; }  // What does not change within a day is not asked for again.
  if (busy || document.hidden) { waiting = true; return; }
  busy = true; waiting = false;
  const began = performance.now();
  try { await renew(); say("live"); } catch { say("not live: the collector does not answer"); }
  setTimeout(() => { busy = false; if (waiting) { due(); } }, Math.max(1000, 10 * (performance.now() - began)));
}

function say(text) {
  const live = document.getElementById("live");
  if (live && live.textContent !== text) { live.textContent = text; }
}

function listen() {
  if (!document.getElementById("live")) { return; }
  const stream = new EventSource("/live");
  stream.addEventListener("change", due);
  stream.addEventListener("open", () => say("live"));
  stream.addEventListener("error", () => say("not live: the collector does not answer"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting) { due(); } });
  // Silence is no event: who stopped reporting is seen by looking again.
  setInterval(due, 10000);
  addEventListener("pagehide", () => stream.close());
}

document.documentElement.classList.add("with-script");
localise(document);
zoomable();
listen();

// Dragging over the chart asks for that stretch; a click halves the window around its place; Escape lets go.
let drag = null;
function zoomable() {
  for (const chart of document.querySelectorAll("[data-zoom]")) { chart.onpointerdown = grab; }
}
function timeAt(chart, x) {
  const image = chart.querySelector("img"), box = image.getBoundingClientRect();
  const [left, right] = (image.currentSrc.includes("size=small") ? chart.dataset.small : chart.dataset.wide).split(" ").map(Number);
  const share = Math.min(1, Math.max(0, ((x - box.left) / box.width - left) / (right - left)));
  return Number(chart.dataset.from) + share * (chart.dataset.until - chart.dataset.from);
}
function grab(event) {
  if (event.button !== 0 || event.target.tagName !== "IMG") { return; }
  const mark = document.createElement("div");
  mark.className = "brush";
  drag = {chart: event.currentTarget, x: event.clientX, mark};
  drag.chart.append(mark);
  addEventListener("pointermove", pull);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", release);
  addEventListener("keydown", escape);
}
function pull(event) {
  const box = drag.chart.getBoundingClientRect();
  drag.mark.style.left = `${Math.min(drag.x, event.clientX) - box.left}px`;
  drag.mark.style.width = `${Math.abs(event.clientX - drag.x)}px`;
}
function escape(event) { if (event.key === "Escape") { release(); } }
function release() {
  drag.mark.remove();
  drag = null;
  removeEventListener("pointermove", pull);
  removeEventListener("pointerup", drop);
  removeEventListener("pointercancel", release);
  removeEventListener("keydown", escape);
}
function drop(event) {
  const {chart, x} = drag, whole = chart.dataset.until - chart.dataset.from;
  release();
  let [from, to] = [timeAt(chart, Math.min(x, event.clientX)), timeAt(chart, Math.max(x, event.clientX))];
  if (Math.abs(event.clientX - x) < 8) { [from, to] = [from - whole / 4, from + whole / 4]; }
  const short = 60000 - (to - from);
  if (short > 0) { from -= short / 2; to += short / 2; }
  const query = new URLSearchParams(location.search);
  query.delete("window");
  query.set("from", new Date(from).toISOString());
  query.set("to", new Date(to).toISOString());
  location.search = query;
}
