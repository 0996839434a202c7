"""Types and names of files, and their encrypted content."""
