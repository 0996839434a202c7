"""Files attached to incidents: their types, and their encrypted content."""
