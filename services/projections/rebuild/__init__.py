"""Builds a generation of a read model from the log, beside the live one."""
