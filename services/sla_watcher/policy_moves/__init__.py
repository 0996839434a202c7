"""Moves of live promises to another version of the policy."""
