"""Rules and readings of intake, without servers."""
