"""Rules of `make up` that need no server."""
