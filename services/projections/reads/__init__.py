"""Who read personal words: which answers contain them, and how that is recorded."""
