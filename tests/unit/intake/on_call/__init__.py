"""Who may change who is on call, and what to consider about it."""
