"""Words that users and staff read."""
