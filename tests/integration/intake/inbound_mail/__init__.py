"""Intake, inbound mail on real servers."""
