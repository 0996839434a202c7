"""Rules of shared, database, without servers."""
