// Keys: an element names its key in data-key. A form without fields is sent, anything else
// is clicked or focused. Keys are those of pages only: nothing happens while somebody types,
// and none takes what the browser or a screen reader needs (no Ctrl, Alt, Meta). Who dictates
// to the browser or presses keys by accident turns them off, beside the list of keys.
"use strict";

const KEYS = "desk.keys";
const areKeysOn = () => localStorage.getItem(KEYS) !== "off";

const TYPED = "input, textarea, select, [contenteditable]";

const rows = () => [...document.querySelectorAll("[data-row]")];

function move(step) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
}

function enter(details) {
  details?.querySelector("textarea, select, input:not([type=hidden])")?.focus();
}

function use(element) {
  if (element.matches("form")) element.requestSubmit();
  else if (element.matches("dialog")) element.showModal();
  else if (element.matches(TYPED)) element.focus();
  else element.click();
  // At once: what is typed next belongs into the form.
  enter(element.closest("details.action[open]"));
}

function within(key) {
  // A row has keys of its own, which win over those of the page.
  const row = document.activeElement?.closest("[data-ref]");
  const chosen = `[data-key="${CSS.escape(key)}"]`;
  return row?.querySelector(chosen) ?? document.querySelector(chosen);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const open = document.activeElement?.closest("details.action[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
    return;
  }
  if (!areKeysOn() || event.target.matches?.(TYPED) || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
    event.preventDefault();
    return;
  }
  const own = within(event.key);
  if (own === null) return;
  event.preventDefault(); // the key is not typed into the field that it focuses
  use(own);
});

// Ctrl-Enter, also ⌘-Enter, sends the form that one types in; with Shift, as its button that
// leads to the next does.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
  const button = event.target.form?.querySelector(event.shiftKey ? "button[name=next]" : "button[type=submit]");
  if (!button) return;
  event.preventDefault();
  event.target.form.requestSubmit(button);
});

// The first field is where one goes on after opening a form.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.matches?.("details.action[open]") && !event.target.contains(document.activeElement?.closest("form"))) enter(event.target);
  },
  true,
);

{
  const list = document.getElementById("keys");
  const opener = document.getElementById("show-keys");
  const choice = document.getElementById("single-keys");
  if (list && opener && choice) {
    opener.hidden = false;
    opener.addEventListener("click", () => list.showModal());
    choice.checked = areKeysOn();
    choice.addEventListener("change", () => localStorage.setItem(KEYS, choice.checked ? "on" : "off"));
  }
}
