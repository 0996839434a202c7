"""Who calls: tokens, source keys, signed links and the issuer of NATS credentials."""
