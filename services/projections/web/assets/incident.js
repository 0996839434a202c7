// After an action that leads to the next incident nothing is put into this page: what was
// typed here is sent, and is not offered again.
"use strict";

document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (!sourceElement?.dataset?.draft || !response?.headers?.get("HX-Redirect")) return;
  sessionStorage.removeItem(`${PREFIX}${sourceElement.dataset.draft}`);
});

// What is proposed is put into the field: nothing that is typed elsewhere is left.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-fills]");
  const field = link && document.getElementById(link.dataset.fills);
  if (!field) return;
  event.preventDefault();
  field.value = link.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// A link that fills a form in has done so: the address is that of the incident again, so that
// the page is renewed without it, and what was filled in is kept as if it had been typed.
{
  const place = new URL(location.href);
  const filled = place.searchParams.get("do");
  if (filled) {
    const stays = ["back", "before", "show", "min_position"];
    for (const name of [...place.searchParams.keys()]) if (!stays.includes(name)) place.searchParams.delete(name);
    history.replaceState(null, "", place);
    const form = document.getElementById(`act-${filled}`);
    form?.querySelector("textarea, input:not([type=hidden])")?.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// A form that is open stays about the version that was shown with it. What others did since is
// said beside it before it is sent; who has read that sends it about what is so now. What one did
// oneself need not be read.
const heldForms = () => [...document.querySelectorAll(".actions [hx-morph-skip]")].map((one) => one.querySelector("form.act") ?? one);
const versionOf = (form) => form.elements.namedItem("version");

document.addEventListener("desk:look", (event) => {
  const versions = heldForms().map((form) => Number(versionOf(form)?.value)).filter(Boolean);
  if (versions.length) event.detail.set("seen", Math.min(...versions));
});
document.addEventListener("desk:shown", () => {
  const changes = document.getElementById("changes");
  if (!changes) return;
  for (const form of heldForms()) {
    const version = versionOf(form);
    const place = form.querySelector(".changed");
    if (!place || Number(version.value) >= Number(changes.dataset.version)) continue;
    if (changes.dataset.own !== undefined) version.value = changes.dataset.version;
    else sayChanged(place, changes, Number(version.value));
  }
});

function sayChanged(place, changes, version) {
  const words = changes.content.cloneNode(true);
  for (const line of words.querySelectorAll("li[data-version]")) if (Number(line.dataset.version) <= version) line.remove();
  words.querySelector("[data-seen]").value = changes.dataset.version;
  if (words.textContent !== place.textContent) place.replaceChildren(words);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-seen]");
  if (!button?.form) return;
  versionOf(button.form).value = button.value;
  const { form } = button;
  button.closest(".changed").replaceChildren();
  form.querySelector("textarea, select, input:not([type=hidden])")?.focus();
});

// What somebody opened or folded stays so while the page is renewed around it. On a telephone
// the page is its story: what stands beside it, and what was long ago, is folded until wanted.
const FOLDS = "details.fold, details.kept";
const isSmall = matchMedia("(max-width: 46rem)");
const wasOpen = new Map();
// How a fold is unless somebody changes it: as they left it, or by the width of the page.
function usual(one) {
  if (wasOpen.has(one.id)) return wasOpen.get(one.id);
  return one.classList.contains("fold") ? !isSmall.matches : undefined;
}
function keepFolds() {
  for (const one of document.querySelectorAll(FOLDS)) one.open = usual(one) ?? one.open;
}
// Only what somebody did is remembered: a telephone that is turned shows what it had folded.
document.addEventListener("toggle", ({ target }) => {
  if (!target.isConnected || !target.matches?.(FOLDS) || target.open === usual(target)) return;
  wasOpen.set(target.id, target.open);
}, true);
document.addEventListener("htmx:after:swap", keepFolds);
isSmall.addEventListener("change", keepFolds);
keepFolds();
