// The queue: rows never move under the pointer or the keyboard, they wait for a key; rows are
// selected with x, J and K; who asked for it hears of what is new and urgent.
"use strict";

const MOVED_MS = 4000; // a pointer that rests is not about to click
const BEEP = { hertz: 880, seconds: 0.18, gain: 0.08 };
const ALERTS = "desk.alerts";

const OWN_MS = 15000; // what follows from an act of one's own is no news
const refsIn = (root) => [...root.querySelectorAll("tr[data-ref]")];
const boxes = () => [...document.querySelectorAll("tr[data-ref] input[name=ref]")];
const selected = new Set();
let pointedAt = -MOVED_MS; // when the pointer last moved over a row
let heldText = null;
const ownActs = new Map(); // when one acted on an incident, by its reference

// Changes that wait.

document.addEventListener("pointermove", (event) => {
  if (event.target.closest?.("tr[data-ref]")) pointedAt = performance.now();
  else pointedAt = -MOVED_MS;
}, { passive: true });

function isBusy() {
  const works = document.activeElement?.closest("tr[data-ref], form.bulk, details.panel[open]");
  return Boolean(works) || selected.size > 0 || performance.now() - pointedAt < MOVED_MS;
}

function differences(fresh) {
  const now = new Map(refsIn(document).map((row) => [row.dataset.ref, row.dataset.version]));
  const next = new Map(refsIn(fresh).map((row) => [row.dataset.ref, row.dataset.version]));
  const refs = [...next.keys()].filter((ref) => now.get(ref) !== next.get(ref));
  refs.push(...[...now.keys()].filter((ref) => !next.has(ref)));
  const moved = [...now.keys()].join() !== [...next.keys()].join();
  return { changed: Math.max(refs.length, moved ? 1 : 0), moved, isOwn: isOwn(refs) };
}

// What one did to a row changes that row more than once: its promises follow a moment later.
function isOwn(refs) {
  const since = performance.now() - OWN_MS;
  for (const [ref, at] of ownActs) if (at < since) ownActs.delete(ref);
  return ownActs.size > 0 && refs.every((ref) => ownActs.has(ref));
}

document.addEventListener("htmx:before:request", (event) => {
  const row = event.detail.ctx.sourceElement?.closest?.("tr[data-ref]");
  if (row) ownActs.set(row.dataset.ref, performance.now());
});

function offer(number) {
  const news = document.getElementById("news");
  if (!news) return;
  news.textContent = number === 1 ? news.dataset.one : news.dataset.many.replace("{n}", number);
  news.hidden = number === 0;
}

function copyCounts(fresh) {
  for (const tab of fresh.querySelectorAll(".queues a[id]")) {
    const own = document.getElementById(tab.id);
    if (own) own.replaceChildren(...tab.cloneNode(true).childNodes);
  }
}

document.addEventListener("desk:news", (event) => {
  if (live().dataset.waits === undefined) return;
  const fresh = new DOMParser().parseFromString(event.detail, "text/html");
  alertOf(fresh);
  const { changed, moved, isOwn } = differences(fresh);
  if (!moved || isOwn || !isBusy()) {
    heldText = null;
    return;
  }
  event.preventDefault();
  heldText = event.detail;
  copyCounts(fresh);
  offer(changed);
});

document.addEventListener("click", async (event) => {
  if (event.target.closest("#news") === null || heldText === null) return;
  const text = heldText;
  heldText = null;
  await show(text);
  offer(0);
  later(REST_MS); // what happened to rows that waited was not asked for
});

// Selection.

function mark(box, chosen) {
  box.checked = chosen;
  if (chosen) selected.add(box.value);
  else selected.delete(box.value);
  paint();
}

function paint() {
  for (const box of boxes()) {
    box.checked = selected.has(box.value);
    box.closest("tr").classList.toggle("selected", box.checked);
  }
  paintAll();
  const bar = document.getElementById("bulk");
  if (!bar) return;
  bar.classList.toggle("is-idle", selected.size === 0);
  const words = selected.size === 1 ? bar.dataset.one : bar.dataset.many;
  bar.querySelector(".count").textContent = selected.size ? words.replace("{n}", selected.size) : "";
}

const allBox = () => document.getElementById("select-all");

function paintAll() {
  const all = allBox();
  if (!all) return;
  all.hidden = false;
  const shown = boxes();
  const chosen = shown.filter((box) => box.checked).length;
  all.checked = chosen > 0 && chosen === shown.length;
  all.indeterminate = chosen > 0 && chosen < shown.length;
}

function selectAll(chosen) {
  for (const box of boxes()) {
    if (chosen) selected.add(box.value);
    else selected.delete(box.value);
  }
  paint();
}

function keepSelection() {
  const there = new Set(boxes().map((box) => box.value));
  for (const ref of selected) if (!there.has(ref)) selected.delete(ref);
  paint();
}

const focusedRow = () => document.activeElement?.closest("tr[data-ref]");
const boxOf = (row) => row?.querySelector("input[name=ref]");

function extend(step) {
  const box = boxOf(focusedRow());
  if (box) mark(box, true);
  move(step);
  const next = boxOf(focusedRow());
  if (next) mark(next, true);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("tr[data-ref] input[name=ref]")) mark(event.target, event.target.checked);
  if (event.target === allBox()) selectAll(event.target.checked);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  const row = focusedRow();
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
  if (event.key !== "Escape" && !areKeysOn()) return;
  if (event.key === "x" && boxOf(row)) mark(boxOf(row), !boxOf(row).checked);
  else if (event.key === "X" && allBox()) selectAll(selected.size < boxes().length);
  else if (event.key === "J" || event.key === "K") extend(event.key === "J" ? 1 : -1);
  else if (event.key === "Escape" && selected.size) { selected.clear(); paint(); }
  else return;
  event.preventDefault();
});

// Alerts, for who asked for them.

const title = document.title;
const known = new Set(refsIn(document).map((row) => row.dataset.ref));
let unseen = 0;

const areOn = () => localStorage.getItem(ALERTS) === "on";

function paintAlerts() {
  const button = document.getElementById("alerts");
  if (!button) return;
  button.hidden = false;
  button.setAttribute("aria-pressed", String(areOn()));
  button.textContent = areOn() ? button.dataset.on : button.dataset.off;
  if (areOn()) document.documentElement.dataset.listens = "";
  else delete document.documentElement.dataset.listens;
}

function paintTitle() {
  document.title = unseen ? `(${unseen}) ${title}` : title;
}

function beep() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = BEEP.hertz;
  volume.gain.value = BEEP.gain;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + BEEP.seconds);
  tone.onended = () => audio.close();
}

function alertOf(fresh) {
  const news = refsIn(fresh).filter((row) => row.dataset.urgent !== undefined && !known.has(row.dataset.ref));
  for (const row of refsIn(fresh)) known.add(row.dataset.ref);
  if (!areOn() || news.length === 0) return;
  if (document.hidden) unseen += news.length;
  paintTitle();
  beep();
  if (window.Notification?.permission !== "granted") return;
  const words = document.getElementById("alerts").dataset.news;
  for (const row of news) new Notification(`${words} ${row.dataset.ref}`, { body: row.dataset.urgent, tag: row.dataset.ref });
}

document.addEventListener("click", async (event) => {
  if (event.target.closest("#alerts") === null) return;
  localStorage.setItem(ALERTS, areOn() ? "off" : "on");
  paintAlerts();
  if (areOn() && window.Notification?.permission === "default") await Notification.requestPermission();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  paintTitle();
});

document.addEventListener("htmx:after:swap", () => {
  keepSelection();
  paintAlerts();
  setTimeout(paintTitle); // a swap brings the title of its answer with it
  if (heldText === null) offer(0);
});
paint();
paintAlerts();
