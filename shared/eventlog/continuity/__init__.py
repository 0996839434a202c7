"""Whether the log is still the one that was seen before, also after a restore."""
