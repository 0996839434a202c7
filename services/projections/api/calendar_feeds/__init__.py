"""Links to calendars of shifts, and the calendars."""
