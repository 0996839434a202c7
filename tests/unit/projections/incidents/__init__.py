"""What the page of one incident shows and offers, and what it may be merged into."""
