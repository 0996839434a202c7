"""Our adapters against the real thing: PostgreSQL, nats-server, HTTP."""
