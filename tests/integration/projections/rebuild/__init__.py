"""Projections, rebuild on real servers."""
