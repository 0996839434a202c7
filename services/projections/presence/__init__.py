"""Who has an incident open now: kept in memory for seconds, and stored nowhere."""
