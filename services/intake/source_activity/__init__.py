"""Recent activity of sources: counted in memory, written every few seconds."""
