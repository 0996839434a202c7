"""Six kinds of tests; each folder says why it exists."""
