"""Readers of the log: how they follow it, their positions, and parked events."""
