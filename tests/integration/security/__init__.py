"""Signing in: sessions and links, in a real database."""
