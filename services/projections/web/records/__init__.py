"""The pages of a problem and of a change."""
