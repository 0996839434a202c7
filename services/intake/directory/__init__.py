"""The people directory: who the ids in events and policies are."""
