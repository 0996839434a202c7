"""NATS: connections, subjects, streams, and what crosses them."""
