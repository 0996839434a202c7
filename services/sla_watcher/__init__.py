"""Runs the clock of every target: warns, detects breaches, records kept promises."""
