"""Reviews in a browser."""
