"""Callers whom the directory does not have, and the correction of their entries."""
