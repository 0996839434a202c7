"""Builders of on-call changes, of links in pages, and of messages to contacts."""
