"""Turns the log into read models, and answers what people and auditors ask."""
