"""Rules of shared, http, without servers."""
