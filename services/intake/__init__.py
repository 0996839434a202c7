"""The intake service: takes signals and commands, and alone writes incidents."""
