"""Keeps anonymous answers out of the log until there are enough to be mixed."""
