"""The gate by itself."""
