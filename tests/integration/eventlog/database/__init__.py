"""Eventlog, database on real servers."""
