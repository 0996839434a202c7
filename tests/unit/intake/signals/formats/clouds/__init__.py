"""Rules of intake, signals, formats, clouds, without servers."""
