"""One incident with everything about it, replayed from the log. Pure."""
