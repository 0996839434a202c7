"""Sources over NATS: who may connect, as what, and whose signals are accepted."""
