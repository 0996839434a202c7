"""What must hold over all files."""
