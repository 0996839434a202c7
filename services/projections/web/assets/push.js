// Subscribes this browser to push messages, and adds the subscription as a contact method.
"use strict";

const button = document.getElementById("subscribe");
const canPush = "serviceWorker" in navigator && "PushManager" in window;

const bytesOf = (base64url) => {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
};

async function subscribe() {
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(button.dataset.key) };
  const worker = await navigator.serviceWorker.register("/assets/push_worker.js");
  const subscription = await worker.pushManager.subscribe(options);
  const form = document.getElementById("add-method");
  form.elements.kind.value = "web_push";
  form.elements.value.value = JSON.stringify(subscription);
  form.requestSubmit();
}

if (button && canPush) {
  const why = document.getElementById("not-subscribed");
  button.parentElement.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    why.textContent = "";
    try {
      await subscribe();
    } catch {
      why.textContent = why.dataset.text; // refused by its user, or no push service is reached
    } finally {
      button.disabled = false;
    }
  });
}
