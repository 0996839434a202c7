"""Builders of events, messages, bodies and histories."""
