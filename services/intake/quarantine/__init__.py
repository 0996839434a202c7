"""Quarantine for elements that could not be mapped: list, retry or discard."""
