"""Rules of intake, gate, without servers."""
