"""What every page has that a browser opens, whichever service answers."""
