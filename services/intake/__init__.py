"""The single point of contact: takes signals and commands, alone writes incidents."""
