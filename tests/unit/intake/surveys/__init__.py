"""Surveys: who is asked about which incident, and which answers are taken."""
