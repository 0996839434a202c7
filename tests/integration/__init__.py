"""Parts of the house with the real PostgreSQL and nats-server."""
