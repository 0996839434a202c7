"""Readers of the log: what they apply, park, share and leave to each other."""
