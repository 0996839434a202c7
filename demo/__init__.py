"""A day at the desk of Valmont, played through the real services and asserted."""
