"""A log that went back, and what knows of it outside the database."""
