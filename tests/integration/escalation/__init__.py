"""The escalation service as processes: real database, bus, mail server and receiver."""
