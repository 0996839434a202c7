"""Intake, quarantine on real servers."""
