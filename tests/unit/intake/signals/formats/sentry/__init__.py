"""Rules of intake, signals, formats, sentry, without servers."""
