"""Promises over the API: why they are due, extensions, moves to another policy."""
