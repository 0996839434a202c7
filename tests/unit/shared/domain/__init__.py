"""Rules of shared, domain, without servers."""
