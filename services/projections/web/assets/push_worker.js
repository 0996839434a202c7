// Shows the push messages of the desk, and opens the page that a message leads to.
"use strict";

self.addEventListener("push", (event) => {
  const message = event.data.json();
  const options = { body: message.body, tag: message.tag, requireInteraction: message.urgent, data: message.url };
  event.waitUntil(self.registration.showNotification(message.title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  if (event.notification.data) event.waitUntil(self.clients.openWindow(event.notification.data));
});
