"""Questions about who read personal words, for auditors."""
