"""What every HTTP server of the desk does before and after calling an endpoint."""
