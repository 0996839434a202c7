"""The rules of escalation: what follows from an event or an instant. Pure."""
