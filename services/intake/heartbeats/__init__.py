"""Heartbeats: what has to report regularly, and what its silence comes to."""
