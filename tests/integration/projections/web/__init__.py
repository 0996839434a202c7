"""Projections, web on real servers."""
