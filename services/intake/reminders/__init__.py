"""Reminds people of incidents when they asked to be, by means of a command."""
