"""What every HTTP server of ours does before an endpoint is called, and after."""
