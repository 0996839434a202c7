"""Formats of services that monitor the availability of sites."""
