"""The policy document: read, checked, asked, compared."""
