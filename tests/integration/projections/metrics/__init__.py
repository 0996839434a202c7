"""Projections, metrics on real servers."""
