"""The event log on a real PostgreSQL."""
