"""The answer to a page, by the link in it, without signing in."""
