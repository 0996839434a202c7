"""A bundle of pages, taken by the link in its message, without signing in."""
