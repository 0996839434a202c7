"""The pages of signing in and out, and of one's own sessions."""
