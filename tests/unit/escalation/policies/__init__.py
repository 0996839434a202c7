"""What escalation policies may say, and whom they page."""
