"""Sources over NATS: which may connect, and whose signals are accepted."""
