"""The read model `timeline`: what happened to an incident, event by event."""
