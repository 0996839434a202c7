"""What a change of the policy means for those who work by it."""
