"""People: rights and imports in a real log."""
