"""Reads people's contact methods: what the log says, and values from the directory."""
