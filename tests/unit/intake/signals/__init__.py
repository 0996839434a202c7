"""Rules of intake, signals, without servers."""
