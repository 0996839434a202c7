"""Month reports in a browser."""
