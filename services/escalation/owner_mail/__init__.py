"""Mail to the owners of surveys, reviews and actions: what is to be followed up."""
