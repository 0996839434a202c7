"""Rules of shared, messaging, without servers."""
