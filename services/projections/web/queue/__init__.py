"""The screen of a queue."""
