"""NATS: connections, subjects, streams and messages."""
