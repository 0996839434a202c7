"""The vault: keys of people and sources, wrapped under a master key."""
