"""Incidents, problems and changes: their state from the log, and what changes them."""
