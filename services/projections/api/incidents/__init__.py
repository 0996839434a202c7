"""Incidents over the API: single incidents, their timelines, and the queues."""
