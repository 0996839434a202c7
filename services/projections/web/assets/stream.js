// One stream of events for all tabs of a browser, which opens only six connections to a place:
// the tab that holds the lock listens and tells the others; when it is closed or hidden, the next
// one goes on from where it was. A browser without locks has a stream for each tab.
"use strict";

const AGAIN_MS = 3000;
const TELL_MS = 10000; // how often the tab that listens says that it does
const SILENT_MS = 75000; // a tab nobody looks at may do something once a minute

// `heard` gets each event; `present` an incident that somebody opened or left; `turned` the state, "live" or "away", and whether events may be missing.
function openFeed({ stream, after, types, person, heard, present, turned }) {
  const name = `desk.stream.${person}`;
  const isShared = Boolean(navigator.locks && window.BroadcastChannel);
  const channel = isShared ? new BroadcastChannel(name) : null;
  let position = after; // up to here nothing is missing
  let isAbreast = false; // whether that is where the tab that listens is, too
  let source = null;
  let state = null;
  let toldAt = 0; // when it was last said that somebody listens
  let turn = null; // ends this tab's turn, or its waiting for one

  function turnTo(next, isBehind) {
    const before = state;
    state = next;
    toldAt = performance.now();
    if (before !== next || isBehind) turned(next, isBehind || (before === "away" && next === "live"));
  }

  function tell() {
    if (source) channel?.postMessage({ state, position });
  }

  function take(event) {
    if (isAbreast) position = Math.max(position, event.position);
    heard(event);
  }

  function arrived(message) {
    const { position: at, type, incident, stream: of, what } = JSON.parse(message.data);
    const { service, client, priority, team } = what ?? {};
    const event = { position: at, type, incident, stream: of, what: { service, client, priority, team } };
    channel?.postMessage({ event });
    take(event);
  }

  function met(message) {
    const { incident } = JSON.parse(message.data);
    channel?.postMessage({ incident });
    present(incident);
  }

  function listen() {
    if (turn === null) return; // hidden meanwhile
    const place = new URL(stream, location.href);
    place.searchParams.set("after", position);
    const mine = new EventSource(place);
    source = mine;
    isAbreast = true;
    for (const type of types.split(" ")) mine.addEventListener(type, arrived);
    mine.addEventListener("presence", met);
    mine.onopen = () => {
      turnTo("live", false);
      tell();
    };
    mine.onerror = () => {
      if (source !== mine) return;
      turnTo("away", false);
      tell();
      if (mine.readyState !== EventSource.CLOSED) return; // it comes back by itself
      setTimeout(() => {
        if (source !== mine) return;
        turned("away", true); // signed out, other rights, or a restored log: the page says so
        listen();
      }, AGAIN_MS * (1 + Math.random()));
    };
  }

  function rest() {
    const ending = turn;
    turn = null;
    source?.close();
    source = null;
    isAbreast = false;
    ending?.abort();
  }

  function join() {
    if (turn !== null) return;
    const own = new AbortController();
    turn = own;
    if (!isShared) return listen();
    const until = new Promise((resolve) => own.signal.addEventListener("abort", resolve));
    const inTurn = () => {
      if (own.signal.aborted) return undefined;
      listen();
      return until;
    };
    navigator.locks.request(name, { signal: own.signal }, inTurn).catch(() => {}); // it rests
    channel.postMessage({ asks: true });
  }

  channel?.addEventListener("message", ({ data }) => {
    if (data.asks) return tell();
    if (source || turn === null) return;
    if (data.event) return take(data.event);
    if (data.incident) return present(data.incident);
    const isBehind = data.position > position;
    position = Math.max(position, data.position);
    isAbreast = true;
    turnTo(data.state, isBehind);
  });
  setInterval(() => {
    tell();
    const isSilent = performance.now() - toldAt > SILENT_MS;
    if (!source && turn !== null && state === "live" && isSilent) turnTo("away", false);
  }, TELL_MS);
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", ({ persisted }) => persisted && !document.hidden && join());
  return { join, rest, position: () => position };
}
