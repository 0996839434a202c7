"""Reviews as the API shows them."""
