"""Finds who can help: functional and hierarchical escalation, paging, hand-over."""
