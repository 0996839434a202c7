"""Who leads: leases that lapse, and what fences off a former leader."""
