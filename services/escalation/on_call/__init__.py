"""Records who was on call, as it happens, and gaps before they come."""
