"""Actions after a survey or a review: what their rules have in common."""
