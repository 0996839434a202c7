"""The screen on which people say how they are reached."""
