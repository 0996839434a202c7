"""Mails and the servers that carry them, for tests."""
