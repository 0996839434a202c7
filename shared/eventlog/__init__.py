"""The event log in PostgreSQL: append, read, follow, verify that it is the same log."""
