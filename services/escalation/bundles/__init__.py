"""Bundles: pages to somebody who gets too many of them leave as one message."""
