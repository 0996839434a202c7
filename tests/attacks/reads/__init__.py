"""Attacks on who reads which words, and on the record of it."""
