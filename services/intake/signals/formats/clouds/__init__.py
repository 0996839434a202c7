"""Formats of cloud providers, and CloudEvents."""
