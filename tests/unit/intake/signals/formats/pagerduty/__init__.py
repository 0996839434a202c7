"""Rules of intake, signals, formats, pagerduty, without servers."""
