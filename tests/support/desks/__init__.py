"""Desks for tests: whole, in part, and without servers."""
