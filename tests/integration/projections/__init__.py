"""Projections on real servers."""
