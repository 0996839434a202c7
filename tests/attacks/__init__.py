"""Attacks on the running desk, one file a door; each fails without its guard."""
