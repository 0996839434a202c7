"""Measurements, each a ratio to a bound in the same run."""
