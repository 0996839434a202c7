"""What people may ask of escalation, and who may ask it, without servers."""
