"""People over the API: the directory and who is on call."""
