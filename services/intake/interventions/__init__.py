"""Interventions of people on standby, as they declare them."""
