"""The screen of an incident."""
