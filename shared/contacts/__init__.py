"""Contacts by telephone or by the form, and the immediate answer to the person."""
