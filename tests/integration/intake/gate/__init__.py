"""Intake, gate on real servers."""
