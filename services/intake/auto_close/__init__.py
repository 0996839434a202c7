"""Closes resolved incidents whose users stay silent, by means of a command."""
