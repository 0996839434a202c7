"""What each source did lately: counted in memory, written every few seconds, shown."""
