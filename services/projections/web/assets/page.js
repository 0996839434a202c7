// Keeps the page as it is on the desk: the stream says that something happened, the page is asked
// for again if that may concern it, and what changed is put in place. Works without: reload.
"use strict";

const REST_MS = 300; // a burst of events is one look
const SPREAD_MS = 500; // not all pages of a desk ask in the same instant
const COUNTS_MS = 10000; // counts alone may wait
const POLL_MS = 30000; // without a stream
const TIRED = 2; // so many times as long as the desk took for an answer it is left in peace
const GONE = [401, 403, 404]; // signed out, or no longer within somebody's rights
const PLACING = ["incident.opened", "incident.assigned", "incident.classified"];
const feed = document.getElementById("feed");
const language = document.documentElement.lang;
const locale = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const fromNow = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });

let stream = null;
let wantedPosition = 0; // the newest event that concerns the page
let asking = false;
let waiting = null;
let dueAt = Infinity; // when the page is asked for again
let notBefore = 0;
let isStale = false; // whether more was missed while it was asked for

const live = () => document.getElementById("live");

function tell(state) {
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

// A form that somebody is at stays, even if what it does is not possible any more: sending it
// says so, with what happened meanwhile.
function withHeld(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const held = [...live().querySelectorAll(".actions [hx-morph-skip]")];
  const missing = held.filter((one) => one.id && !fresh.getElementById(one.id));
  if (missing.length === 0) return text;
  const place = fresh.querySelector(".actions");
  for (const one of missing) place?.append(one.closest(".actions > *").cloneNode(true));
  return fresh.documentElement.outerHTML;
}

async function show(given) {
  const text = withHeld(given);
  const before = new Map();
  for (const one of live().querySelectorAll("[data-ref]")) before.set(one.dataset.ref, one.dataset.version);
  // Only what differs is changed: focus, selection and open forms stay as they are.
  await htmx.swap({ sourceElement: live(), target: live(), select: "#live", swap: "outerMorph", text, hx: {} });
  for (const one of live().querySelectorAll("[data-ref]")) {
    const known = before.get(one.dataset.ref);
    one.classList.toggle("fresh", known !== one.dataset.version);
  }
  writeTimes();
  document.dispatchEvent(new CustomEvent("desk:shown"));
}

// How soon an event makes the page ask again, in milliseconds; null: it does not concern it.
function concern({ type, incident, stream: of, what }) {
  const { follows, rows, moves, within } = live().dataset;
  if (follows !== undefined) {
    const refs = follows.split(" ");
    return refs.includes(incident) || refs.includes(of.slice(of.indexOf("-") + 1)) ? REST_MS : null;
  }
  if (!rows.split(" ").includes(type)) return null;
  if (!incident || document.querySelector(`tr[data-ref="${CSS.escape(incident)}"]`)) return REST_MS;
  if (!moves.split(" ").includes(type)) return null;
  // It now has these values: with others it is in another queue, and only the counts are new.
  const isElsewhere = ([name, values]) => typeof what[name] === "string" && !values.includes(what[name]);
  return PLACING.includes(type) && JSON.parse(within).some(isElsewhere) ? COUNTS_MS : REST_MS;
}

function later(ms) {
  if (asking) return; // it looks again when it has the answer, if there is news
  const now = performance.now();
  const at = Math.max(now + ms + Math.random() * (ms < COUNTS_MS ? SPREAD_MS : ms), notBefore);
  if (at >= dueAt) return;
  clearTimeout(waiting);
  dueAt = at;
  waiting = setTimeout(look, at - now);
}

async function look() {
  dueAt = Infinity;
  asking = true;
  const wanted = wantedPosition;
  const began = performance.now();
  isStale = false;
  let again = null;
  try {
    const place = new URL(location.href);
    if (wanted) place.searchParams.set("min_position", wanted);
    document.dispatchEvent(new CustomEvent("desk:look", { detail: place.searchParams }));
    const answer = await fetch(place, { credentials: "same-origin" });
    if (GONE.includes(answer.status)) return location.reload();
    if (!answer.ok) {
      again = AGAIN_MS;
      return undefined;
    }
    const text = await answer.text();
    notBefore = performance.now() + Math.min(TIRED * (performance.now() - began), COUNTS_MS);
    // A page whose rows must not move under somebody's hand keeps the news until then.
    const held = !document.dispatchEvent(new CustomEvent("desk:news", { cancelable: true, detail: text }));
    if (!held) await show(text);
    if (wantedPosition > wanted || isStale) again = REST_MS;
  } catch {
    again = AGAIN_MS;
  } finally {
    asking = false;
    if (again !== null) later(again);
  }
  return undefined;
}

function heard(event) {
  const ms = concern(event);
  if (ms === null) return;
  wantedPosition = Math.max(wantedPosition, event.position);
  later(ms);
}

function present(incident) {
  if ((live().dataset.follows ?? "").split(" ").includes(incident)) document.dispatchEvent(new CustomEvent("desk:presence"));
}

function turned(state, isBehind) {
  tell(state);
  if (isBehind) {
    wantedPosition = Math.max(wantedPosition, stream.position());
    isStale = asking;
    later(0);
  }
}

function listen() {
  const { stream: place, after, types } = live().dataset;
  const person = document.querySelector("[data-me]")?.dataset.me ?? "";
  stream = openFeed({ stream: place, after: Number(after), types, person, heard, present, turned });
  if (!document.hidden || document.documentElement.dataset.listens !== undefined) stream.join();
}

// A page nobody looks at needs no news, unless somebody asked to be told.
document.addEventListener("visibilitychange", () => {
  if (stream === null) return; // nothing on this page changes by itself
  if (document.hidden) {
    if (document.documentElement.dataset.listens === undefined) stream.rest();
  } else {
    stream.join();
    later(0);
  }
});
setInterval(() => {
  if (stream !== null && !document.hidden && !feed.classList.contains("is-live")) later(0);
}, POLL_MS);

document.addEventListener("htmx:after:swap", writeTimes);
writeTimes();
setInterval(writeTimes, 30000);
if (live()?.dataset.stream) listen();
