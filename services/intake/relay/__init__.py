"""The relay: copies the log to JetStream, in order, each event once."""
