"""Rules of shared, observability, without servers."""
