"""Rules of reviews after incidents."""
