// What was done is said for a while, and not beside what is said next. The address forgets it,
// so that a reload does not say it again.
"use strict";

const SAID_MS = 10000;
let over = null;

function sayNothing() {
  clearTimeout(over);
  document.getElementById("done")?.replaceChildren();
}

function sayForAWhile() {
  clearTimeout(over);
  if (document.getElementById("done")?.textContent.trim()) over = setTimeout(sayNothing, SAID_MS);
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.sourceElement?.matches?.("form")) sayNothing();
});
document.addEventListener("htmx:after:swap", sayForAWhile);
sayForAWhile();
{
  const place = new URL(location.href);
  if (place.searchParams.has("done")) {
    for (const name of ["done", "done_to"]) place.searchParams.delete(name);
    history.replaceState(null, "", place);
  }
}
