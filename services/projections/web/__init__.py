"""The first page: queues and one incident, for a browser, from what the API answers."""
