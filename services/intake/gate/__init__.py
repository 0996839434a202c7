"""The gate before the doors: who is it, from where, how much, and is it signed."""
