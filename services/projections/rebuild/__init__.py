"""Builds a generation of a read model from the log, next to the live one."""
