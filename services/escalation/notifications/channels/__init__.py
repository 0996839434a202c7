"""Channels out of the desk: mail and signed webhooks, with retries."""
