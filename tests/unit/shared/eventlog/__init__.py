"""Rules of shared, eventlog, without servers."""
