"""The screen for a contact that is taken while somebody is on the phone."""
