"""Where people announce maintenance; `policy/windows.py` has the rules."""
