"""Mail about access: links to sign in, alarms, and codes of contact methods."""
