"""The screen for sources: what each reported, and the keys with which they send."""
