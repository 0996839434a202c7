"""Acknowledgements that lapse unless somebody works on the incident."""
