"""Intake, commands on real servers."""
