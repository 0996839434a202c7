"""Targets of steps whose people are paged by turns."""
