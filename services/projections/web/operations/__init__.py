"""Screens for those who run the desk: what was set aside, maintenance, policies."""
