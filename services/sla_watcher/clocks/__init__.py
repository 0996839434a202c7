"""The clocks of an incident: armed, stopped, completed, breached."""
