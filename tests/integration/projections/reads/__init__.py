"""Who read personal words: recorded, asked and deleted, on real servers."""
