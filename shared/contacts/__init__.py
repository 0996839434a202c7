"""Somebody reaches the desk by telephone or by the form: what they are told at once."""
