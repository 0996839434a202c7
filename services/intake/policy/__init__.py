"""The policy: applied, stored in the log, and looked up by the rules."""
