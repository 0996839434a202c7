"""Heartbeats: what has to report regularly, and the alerts about its silence."""
