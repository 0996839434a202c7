"""The people directory: the people behind the ids in events and policies."""
