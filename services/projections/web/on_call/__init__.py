"""The screens of who is on call: now, in a calendar, and how to change it."""
