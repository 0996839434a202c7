"""Anything may die at any moment: what was promised is kept, nothing is doubled."""
