"""The web pages: queues and single incidents, rendered from answers of the API."""
