"""Parked events: which, why, and the commands to retry or to skip them."""
