"""What all web pages share, in every service."""
