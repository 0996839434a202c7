"""Rules of intake, signals, formats, elements, without servers."""
