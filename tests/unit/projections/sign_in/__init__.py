"""Signing in: identity tokens, and the names of devices."""
