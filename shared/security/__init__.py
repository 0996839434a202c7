"""Authentication: tokens, source keys, signed links, and issuing NATS credentials."""
