"""Commands over the API: forwarded to the service that owns the stream."""
