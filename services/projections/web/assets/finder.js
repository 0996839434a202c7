// Ctrl-K opens one box for everything: the desk finds incidents, people, services and pages,
// and this page knows its own actions. Arrows move, Enter takes.
"use strict";

const finder = document.getElementById("finder");
const asked = finder?.querySelector("input");
const foundHere = document.getElementById("found-here");
const ownActions = finder?.querySelector(".own-actions");

const foundPlaces = () => [...finder.querySelectorAll("a, li button")];

// An action with fields unfolds, one without is sent at once.
const ACTIONS = ".actions > details > summary, .actions > a, .actions > .at-once button[type=submit]";

function showActions() {
  const named = [...document.querySelectorAll(ACTIONS)];
  const wanted = asked.value.trim().toLocaleLowerCase();
  const shown = named.filter((each) => wanted !== "" && each.textContent.toLocaleLowerCase().includes(wanted));
  ownActions.replaceChildren(
    ...shown.slice(0, 6).map((each) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = each.textContent.trim();
      button.addEventListener("click", () => {
        finder.close();
        each.click();
        each.closest("details")?.querySelector("textarea, select, input:not([type=hidden])")?.focus();
      });
      item.append(button);
      return item;
    }),
  );
}

// Before one types: what is one's own, and the pages. Enter never takes what was found before.
async function showNext() {
  const answer = await fetch(finder.dataset.next, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || asked.value !== "") return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (asked.value === "") foundHere.replaceChildren(...next.querySelectorAll("#found > li"));
}

document.addEventListener("keydown", (event) => {
  if (!finder || !(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  if (!finder.open) finder.showModal();
  if (asked.value === "") showNext();
  asked.select();
});
finder?.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.preventDefault(); // at once, whatever is typed
    finder.close();
    return;
  }
  const all = foundPlaces();
  const at = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    (next < 0 ? asked : (all[Math.min(next, all.length - 1)] ?? asked)).focus();
  } else if (event.key === "Enter" && document.activeElement === asked) {
    event.preventDefault();
    all[0]?.click();
  }
});
asked?.addEventListener("input", () => {
  foundHere.replaceChildren();
  showActions();
});
