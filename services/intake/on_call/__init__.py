"""Overrides, swaps, absences and temporary schedules: decided and recorded."""
