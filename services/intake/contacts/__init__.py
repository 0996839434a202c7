"""Contacts of users: calls, and the report form."""
