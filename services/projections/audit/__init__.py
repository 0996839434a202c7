"""Proof that nobody rewrote the log."""
