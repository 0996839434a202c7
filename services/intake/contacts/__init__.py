"""Contacts of users: calls, and the form."""
