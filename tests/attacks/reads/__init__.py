"""Attacks on the record of who read personal words."""
