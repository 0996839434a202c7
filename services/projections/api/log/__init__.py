"""The log over the API: pages, documents, and a stream of server-sent events."""
