"""Laws of the results of surveys."""
