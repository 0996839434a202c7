"""A real identity provider, and a browser that signs in there."""
