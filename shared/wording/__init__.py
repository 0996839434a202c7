"""Words that users and staff read, in each language the desk writes."""
