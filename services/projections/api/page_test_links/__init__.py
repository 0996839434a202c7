"""Answers to page tests by the link in a message."""
