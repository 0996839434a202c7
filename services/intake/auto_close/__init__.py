"""Closes what is resolved and stays silent: a reader knows when, a command does it."""
