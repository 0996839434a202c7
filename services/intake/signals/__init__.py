"""Monitoring signals: received, parsed, evaluated in batches and recorded."""
