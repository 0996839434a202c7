"""Shifts as calendars to which people subscribe by a secret link."""
