"""The event log in PostgreSQL: append, read, follow, and verify its continuity."""
