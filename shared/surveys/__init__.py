"""Surveys as the log has them: invitations, answers and results."""
