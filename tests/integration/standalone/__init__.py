"""Servers, credentials, supervisor: with real processes."""
