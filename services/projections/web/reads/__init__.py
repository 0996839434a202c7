"""The page on which auditors ask who read personal words."""
