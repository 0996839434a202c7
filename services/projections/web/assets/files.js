// A screenshot that is pasted, or a file that is dropped, is attached: it is put into the form
// of the page and sent like any other. Text that is pasted into a field stays text.
"use strict";

function attach(files) {
  const form = document.querySelector("form[data-files]");
  const field = form?.querySelector("input[type=file]");
  if (!field || files.length === 0) return false;
  field.files = files;
  form.requestSubmit();
  return true;
}

document.addEventListener("paste", (event) => {
  if (attach(event.clipboardData?.files ?? [])) event.preventDefault();
});
document.addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (attach(event.dataTransfer?.files ?? [])) event.preventDefault();
});
