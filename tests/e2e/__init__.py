"""Whole processes: started, used, killed."""
