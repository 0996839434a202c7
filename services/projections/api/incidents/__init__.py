"""Incidents over the API: one, its timeline, and the queues."""
