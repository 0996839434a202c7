"""Formats of services that check whether a site is up."""
