"""The rules of escalation: what an event or an instant leads to. Pure."""
