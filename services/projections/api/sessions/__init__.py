"""Signing in, and the sessions of those who are signed in."""
