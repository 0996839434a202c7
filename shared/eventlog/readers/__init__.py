"""Readers of the log: how they follow it, where they are, what they set aside."""
