"""The domain: events, commands, incidents, promises and policies. Pure."""
