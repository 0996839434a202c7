"""Signals of monitoring: received, read, judged in batches and recorded."""
