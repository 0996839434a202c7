"""Rules of month reports."""
