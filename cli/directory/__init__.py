"""The directory of people, as the command line changes it in the database."""
