"""Projections, commands on real servers."""
