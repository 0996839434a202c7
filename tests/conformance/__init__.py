"""Promises that hold for every implementation: the library's own recorder tests."""
