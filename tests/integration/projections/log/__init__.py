"""Projections, log on real servers."""
