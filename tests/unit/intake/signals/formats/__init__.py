"""Rules of intake, signals, formats, without servers."""
