"""Intake, compat on real servers."""
