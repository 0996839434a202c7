"""Projections, incidents on real servers."""
