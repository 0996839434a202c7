"""Intake, signals on real servers."""
