"""Satisfaction surveys: invitations, the results of a period, and what follows."""
