"""The one test of a whole desk that is in rooms."""
