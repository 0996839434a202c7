// Nothing that was typed is lost: a form is kept in this tab until the desk has answered, and
// while somebody is at it the page is renewed around it. The form keeps its idempotency key
// while no answer came, also over a reload, so sending it again acts once.
"use strict";

const HELD = "hx-morph-skip"; // htmx leaves such an element as it is
// Of one person: another one who signs in here does not see them.
const PREFIX = `draft:${document.querySelector("[data-me]")?.dataset.me ?? ""}:`;

const drafts = () => document.querySelectorAll("form[data-draft]");
const holder = (form) => form.closest("details.action") ?? form;
const own = (field) => (field.type === "hidden" && field.name !== "key") || field.type === "file" || !field.name;

const isKept = (form) => Boolean(form?.matches?.("form[data-draft], form[data-files]"));
const isChoice = (field) => field.type === "radio";

function remember(form) {
  const typed = [...form.elements].filter((field) => !own(field) && (!isChoice(field) || field.checked));
  const values = typed.map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]);
  sessionStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(values));
}

function forget(form) {
  sessionStorage.removeItem(PREFIX + form.dataset.draft);
  form.reset();
  holder(form).removeAttribute(HELD);
}

function restore(form) {
  const kept = sessionStorage.getItem(PREFIX + form.dataset.draft);
  if (kept === null) return;
  const values = JSON.parse(kept);
  let typed = false;
  for (const [name, value] of values) {
    const field = form.elements.namedItem(name);
    if (field === null || own(field)) continue;
    if (field.type === "checkbox") field.checked = value;
    else if (name === "key" || field.value === field.defaultValue || field.value === "") field.value = value;
    if (name !== "key") typed ||= value !== "" && value !== false;
  }
  if (typed && form.closest("details.action")) form.closest("details.action").open = true;
  const lookUp = form.querySelector("[data-look-up]");
  if (typed && lookUp) findAgain(form, lookUp, values);
}

// What was chosen among what was found is chosen again once it is found again.
function findAgain(form, lookUp, values) {
  const choose = () => {
    for (const [name, value] of values)
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`))
        if (isChoice(field)) field.checked = field.value === value;
  };
  document.addEventListener("htmx:after:swap", choose, { once: true });
  lookUp.addEventListener("htmx:after:init", () => lookUp.dispatchEvent(new Event("change")), { once: true });
}

function hold() {
  for (const details of document.querySelectorAll("details.action:has(form)")) details.toggleAttribute(HELD, details.open);
  for (const refusal of document.querySelectorAll(".at-once .no")) refusal.closest("form").setAttribute(HELD, "");
}

const placeOf = (element) => element?.closest?.("form")?.querySelector(".unsent") ?? document.getElementById("done");

function say(element, sentence, ...more) {
  placeOf(element)?.replaceChildren(sentence, ...more);
}

// Signing in leads back here, where the draft is.
function wayIn(answer) {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = answer.querySelector("h1")?.textContent;
  return link;
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!isKept(form)) return;
  holder(form).setAttribute(HELD, "");
  if (form.dataset.draft) remember(form); // files can only be chosen again by hand
});
document.addEventListener("toggle", hold, true);
document.addEventListener("htmx:before:request", (event) => {
  const form = event.detail.ctx.sourceElement;
  if (!isKept(form)) return;
  holder(form).setAttribute(HELD, "");
  say(form, "");
});
document.addEventListener("htmx:error", (event) => {
  const form = event.detail.ctx?.sourceElement;
  if (form?.matches?.("form")) say(form, placeOf(form)?.dataset.unsent ?? "");
});
// A refusal that has not the part of the page that was asked for, such as the sign-in page, is not
// put in its place, where somebody works: what it says is said beside the form.
document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, response, select, text } = event.detail.ctx;
  if (response.status < 400) return;
  const answer = new DOMParser().parseFromString(text, "text/html");
  if (!select || answer.querySelector(select)) return;
  event.preventDefault();
  const sentence = answer.querySelector("[role=alert]")?.textContent ?? placeOf(sourceElement)?.dataset.unsent ?? "";
  if (response.status === 401) say(sourceElement, `${sentence} `, wayIn(answer));
  else say(sourceElement, sentence);
});
document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  hold(); // the event of a form that was just opened may still be on its way
  if (!isKept(sourceElement)) return;
  holder(sourceElement).removeAttribute(HELD);
  if (response.status < 400) forget(sourceElement);
});
document.addEventListener("htmx:after:swap", hold);

for (const form of drafts()) restore(form);
hold();
