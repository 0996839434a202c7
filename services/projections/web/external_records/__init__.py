"""The page of an external record."""
