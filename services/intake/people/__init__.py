"""People: what they may do, as events; imports, and removals."""
