"""Which files are accepted."""
