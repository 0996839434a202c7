"""One incident with all that is about it, replayed from the log. Pure."""
