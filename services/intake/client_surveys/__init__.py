"""Asks the contacts of clients at regular intervals, by the clock."""
