"""Rules of escalation, one sentence each, without servers."""
