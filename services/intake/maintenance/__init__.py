"""Maintenance windows that are announced by a command."""
