"""Surveys as the policy has them: their results, and the actions that follow."""
