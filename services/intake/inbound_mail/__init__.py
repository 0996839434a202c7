"""Inbound mail and report forms, which become contacts with the desk."""
