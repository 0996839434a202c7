"""The review after an incident: its state, and the facts that the log has for it."""
