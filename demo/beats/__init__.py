"""The scenes of the day, by the time they play."""
