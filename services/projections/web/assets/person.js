// A field for a person proposes people while somebody types: what is chosen is their id.
// Without this the name is looked up when the form is sent.
"use strict";

const PAUSE_MS = 200;
let typing = null;

async function propose(field) {
  const asked = field.value.trim();
  if (asked.length < 2) return;
  const place = new URL("/find/people", location.href);
  place.searchParams.set("q", asked);
  const answer = await fetch(place, { credentials: "same-origin" });
  if (!answer.ok || field.value.trim() !== asked) return;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  field.list?.replaceChildren(...found.querySelectorAll("option"));
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("input[data-person]")) return;
  clearTimeout(typing);
  typing = setTimeout(() => propose(event.target).catch(() => {}), PAUSE_MS);
});
