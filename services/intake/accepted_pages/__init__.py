"""Acknowledges incidents that were accepted by a page, by means of a command."""
