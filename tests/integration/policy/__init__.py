"""Policies and people, on a real database."""
