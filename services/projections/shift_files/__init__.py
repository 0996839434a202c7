"""Shifts of iCalendar files: worked out in their own process, and given to people."""
