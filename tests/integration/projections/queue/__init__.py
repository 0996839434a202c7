"""Projections, queue on real servers."""
