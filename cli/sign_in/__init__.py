"""Commands about signing in: links, break-glass codes, and sessions."""
