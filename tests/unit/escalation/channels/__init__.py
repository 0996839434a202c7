"""What leaves the desk, as far as it can be told without a server."""
