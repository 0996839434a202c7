// Who else has this incident open, and who is writing: said in one line of its own, which is
// there from the start, so that nothing moves. The desk forgets a page that is silent.
"use strict";

const REPORT_MS = 15000;
const WRITES_MS = 60000; // after the last key somebody is just here
const HIDDEN_MS = 240000; // browsers slow down what is hidden longer, and the desk forgets it
const here = document.getElementById("presence");
const page = [...crypto.getRandomValues(new Uint8Array(8))].map((each) => each.toString(16).padStart(2, "0")).join("");

let written = { form: "", at: -WRITES_MS };
let hiddenAt = 0;
let reported = null; // the form that was reported last
let number = 0; // of reports: the last one, when the page closes, may overtake another
let isReporting = false;
let mayReport = here !== null;

const writes = () => (performance.now() - written.at < WRITES_MS ? written.form : "");

function showPresent(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  if (fresh.textContent.trim() !== here.textContent.trim()) here.replaceChildren(...fresh.childNodes);
}

async function report(isOver = false) {
  if (!mayReport || (isReporting && !isOver)) return;
  isReporting = true;
  reported = writes();
  const body = new URLSearchParams({ csrf: here.dataset.csrf, page, form: reported, number: (number += 1) });
  if (isOver) body.set("is_over", "yes");
  try {
    const answer = await fetch(here.dataset.place, { method: "POST", body, credentials: "same-origin", keepalive: isOver });
    mayReport = answer.ok || answer.status === 429 || answer.status >= 500; // else not wanted, or signed out
    if (!answer.ok) here.replaceChildren();
    else if (!isOver) showPresent(await answer.text());
  } catch {
    here.replaceChildren(); // nobody knows
  } finally {
    isReporting = false;
  }
}

function tick() {
  if (document.hidden && (!writes() || performance.now() - hiddenAt > HIDDEN_MS)) return;
  report();
}

function stopWriting() {
  written.at = -WRITES_MS;
  if (reported) report();
}

document.addEventListener("input", (event) => {
  const form = event.target.form?.matches?.("form.act") ? event.target.form : null;
  if (!form) return;
  written = { form: form.id.replace(/^act-/, ""), at: performance.now() };
  if (writes() !== reported) report();
});
document.addEventListener("htmx:before:swap", (event) => {
  if (event.detail.ctx.sourceElement?.matches?.("form.act") && event.detail.ctx.response.status < 400) stopWriting();
});
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.action:not([open])")) stopWriting();
}, true);
document.addEventListener("visibilitychange", () => {
  hiddenAt = performance.now();
  if (!document.hidden) report();
  else if (!writes()) report(true);
});
window.addEventListener("pagehide", () => report(true));
window.addEventListener("pageshow", (event) => { if (event.persisted) report(); });
document.addEventListener("desk:presence", () => report());

if (here) {
  report();
  setInterval(tick, REPORT_MS);
}
