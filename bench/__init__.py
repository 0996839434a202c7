"""Measurements, each a ratio to a bound measured in the same run."""
