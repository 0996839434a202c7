"""Runs every target against its coverage calendar: warns, breaches, meets, extends."""
