"""Notifications: requested by rules, kept in an outbox, dispatched over channels."""
