"""Rules of shared, security, without servers."""
