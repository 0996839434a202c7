"""Commands about who is on call."""
