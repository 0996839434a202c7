"""The domain: events, commands, incidents, SLA targets and policies. Pure."""
