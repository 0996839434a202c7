"""What auditors judge, and samples: the pure parts."""
