"""Rules of intake, signals, formats, uptime, without servers."""
