"""Rules of intake, records, without servers."""
