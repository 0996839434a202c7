"""Desks that page people."""
