// What a page gains with a script: times in the viewer's zone, news without a reload, zoom. All of it works without.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.cookie = `portgauge_zone=${encodeURIComponent(zone)}; path=/; SameSite=Lax; max-age=31536000`;
const clock = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"});

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = clock.format(new Date(time.dateTime));
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
    if (now.outerHTML !== part.outerHTML && !now.contains(document.activeElement)) {
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

localise(document);
zoomable();
listen();

// A wheel or drag is not needed: clicking the chart halves the window around that place.
function zoomable() {
  for (const image of document.querySelectorAll("[data-zoom] img")) { image.onclick = zoom; }
}
function zoom(event) {
  const query = new URLSearchParams(location.search);
  const spans = {"15m": 9e5, "1h": 36e5, "6h": 216e5, "24h": 864e5, "7d": 6048e5, "30d": 2592e6, "1y": 31536e6, "2y": 63072e6};
  const to = query.get("to") ? Date.parse(query.get("to")) : Date.now();
  const from = query.get("from") ? Date.parse(query.get("from")) : to - spans[query.get("window") || "1h"];
  const span = (to - from) / 4, box = event.target.getBoundingClientRect();
  const middle = from + (to - from) * (event.clientX - box.left) / box.width;
  if (span < 60000) { return; }
  query.delete("window");
  query.set("from", new Date(middle - span).toISOString());
  query.set("to", new Date(Math.min(middle + span, Date.now())).toISOString());
  location.search = query;
}
