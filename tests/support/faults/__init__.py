"""Faults, load, and what must hold after them."""
