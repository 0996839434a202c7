"""Every shape ever written to the log."""
