"""What each part of intake offers: routes, background work and probes."""
