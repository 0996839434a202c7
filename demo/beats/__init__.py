"""The scenes of the day, grouped by time."""
