"""What every service relies on, without servers."""
