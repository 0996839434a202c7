"""Finds the people who can help: escalation, paging, hand-over, notifications."""
