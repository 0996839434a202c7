"""Asks users about their closed incidents, and takes their answers."""
