"""Formats of PagerDuty: webhooks, events, change events."""
