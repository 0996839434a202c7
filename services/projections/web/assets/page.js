// Keeps the page as it is on the desk: the stream says that something happened, the
// page is asked for again, and what changed is put in place. Works without: reload.
"use strict";

const REST_MS = 400; // a burst of events is one look
const AGAIN_MS = 3000;
const feed = document.getElementById("feed");
const language = document.documentElement.lang;
const locale = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const fromNow = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });

let source = null;
let position = 0; // the newest event we heard of
let asking = false;
let waiting = null;

const live = () => document.getElementById("live");

function say(state) {
  feed.textContent = feed.dataset[state];
  feed.classList.toggle("is-live", state === "live");
}

function distance(instant) {
  const minutes = Math.round((instant - Date.now()) / 60000);
  const size = Math.abs(minutes);
  if (size < 60) return fromNow.format(minutes, "minute");
  if (size < 48 * 60) return fromNow.format(Math.round(minutes / 60), "hour");
  if (size < 14 * 24 * 60) return fromNow.format(Math.round(minutes / 1440), "day");
  return null;
}

// The desk writes all instants in one zone, which the page names; how far off what is
// due is changes by itself.
function writeTimes() {
  for (const time of document.querySelectorAll("time")) {
    time.title = time.dateTime;
    if (!time.classList.contains("due")) continue;
    time.dataset.exact ??= time.textContent;
    const near = distance(new Date(time.dateTime));
    if (near === null) {
      time.textContent = time.dataset.exact;
      continue;
    }
    const exact = document.createElement("small");
    exact.textContent = time.dataset.exact;
    const span = document.createElement("span");
    span.className = "near"; // paper does not keep up with it
    span.textContent = near;
    time.replaceChildren(span, exact);
  }
}

function show(fresh) {
  const before = new Map();
  for (const one of live().querySelectorAll("[data-ref]")) before.set(one.dataset.ref, one.dataset.version);
  for (const one of fresh.querySelectorAll("[data-ref]")) {
    if (before.get(one.dataset.ref) !== one.dataset.version) one.classList.add("fresh");
  }
  const focused = document.activeElement && document.activeElement.id;
  live().replaceChildren(...fresh.childNodes);
  writeTimes();
  if (focused && !document.activeElement.id) document.getElementById(focused)?.focus();
}

function later(ms) {
  if (waiting === null) waiting = setTimeout(look, ms);
}

async function look() {
  waiting = null;
  if (asking) return later(REST_MS);
  asking = true;
  const wanted = position;
  try {
    const place = new URL(location.href);
    place.searchParams.set("min_position", wanted);
    const answer = await fetch(place, { credentials: "same-origin" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) return later(AGAIN_MS);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (fresh) show(fresh);
    if (position > wanted) later(REST_MS);
  } catch {
    later(AGAIN_MS);
  } finally {
    asking = false;
  }
}

function heard(event) {
  position = Math.max(position, Number(event.lastEventId));
  later(REST_MS);
}

function listen() {
  const { stream, types } = live().dataset;
  const place = new URL(stream, location.href);
  if (position) place.searchParams.set("after", position);
  source = new EventSource(place);
  for (const type of types.split(" ")) source.addEventListener(type, heard);
  source.onopen = () => say("live");
  source.onerror = () => {
    say("away");
    if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself
    setTimeout(() => { listen(); later(0); }, AGAIN_MS);
  };
}

// A browser opens few connections to one place: a page nobody looks at needs none.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source.close();
  } else if (source.readyState === EventSource.CLOSED) {
    listen();
    later(0);
  }
});

writeTimes();
setInterval(writeTimes, 30000);
listen();
