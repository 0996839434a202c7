"""Rules of intake, commands, without servers."""
