"""Formats of Sentry: the integration platform, and the legacy webhook."""
