"""Metrics of a period over the API, as JSON or CSV."""
