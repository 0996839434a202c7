"""The vault: keys of people and sources, wrapped with a master key."""
