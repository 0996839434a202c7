"""The teams of the policy in force: each has a queue, also while it is empty."""

from typing import Any

from psycopg import Cursor

from services.projections.policy_in_force import policy_in_force
from shared.eventlog.log import EventLog


def teams(log: EventLog, cursor: Cursor[tuple[Any, ...]]) -> frozenset[str]:
    """Return the names of the teams; none before a policy was applied."""
    policy = policy_in_force(log, cursor)
    return frozenset(policy.teams) if policy else frozenset()
