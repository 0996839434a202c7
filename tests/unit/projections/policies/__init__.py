"""Tests of what a change of the policy means."""
