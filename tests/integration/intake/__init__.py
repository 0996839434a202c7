"""Intake's transactions on a real PostgreSQL."""
