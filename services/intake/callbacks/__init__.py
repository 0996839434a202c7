"""Callbacks of providers: the result of a message, and a key that was pressed."""
