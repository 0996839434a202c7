"""Detects that the log is not the one seen before, such as after a restore."""
