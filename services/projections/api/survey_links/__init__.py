"""The answer to a survey, by the link in the mail, without signing in."""
