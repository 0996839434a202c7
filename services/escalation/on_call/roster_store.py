"""Reads which rosters were in force since an instant: policies, and what changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.escalation.on_call.state import RosterVersion
from shared.database.cursors import Cursors
from shared.domain.identifiers import on_call_stream
from shared.domain.on_call import Roster
from shared.domain.policy.document import Policy
from shared.eventlog.log import NEWEST
from shared.eventlog.policies import PolicyInForce
from shared.on_call_changes import roster_of

_CHANGED = """
SELECT EXISTS (
    SELECT FROM log.events WHERE notification_id > %s AND notification_id <= %s
    AND (topic IN ('policy.applied', 'person.contact_method_removed')
         OR topic LIKE 'on\\_call.%%')
    AND originator_id NOT LIKE 'on\\_call\\_history-%%')
"""

_CHANGES = """
SELECT notification_id, recorded_at FROM log.events
WHERE originator_id = %s AND recorded_at > %s ORDER BY originator_version LIMIT %s
"""
CHANGES_MAX = 200
"""Changes of a schedule since the last look that are told apart; later ones are not."""


def is_changed(cursor: Cursors, after: int, upto: int) -> bool:
    """Return whether events between two positions may change who is on call.

    Or whether those who are can be reached.
    """
    row = cursor.execute(_CHANGED, (after, upto)).fetchone()
    return bool(row and row[0])


def versions_of(
    cursor: Cursors,
    schedule: str,
    policies: Sequence[PolicyInForce],
    since: datetime,
) -> Iterator[RosterVersion]:
    """Yield the rosters of a schedule since an instant, each with what was known then.

    A change that was made for the past counts from when it was made: before, others
    were on call. `policies` are the one in force at the instant, and all later ones.
    """
    given = (on_call_stream(schedule), since, CHANGES_MAX)
    changes = cursor.execute(_CHANGES, given).fetchall()
    instants = {each.since for each in policies} | {at for _, at in changes}
    for at in sorted(instants):
        known = [each for each in policies if each.since <= at]
        later = [position for position, made_at in changes if made_at > at]
        if known:
            upto = later[0] - 1 if later else NEWEST
            roster = roster_if_any(cursor, schedule, known[-1].policy, upto)
            yield RosterVersion(at, known[-1].version, roster)


def roster_if_any(
    cursor: Cursors, schedule: str, policy: Policy, upto: int = NEWEST
) -> Roster | None:
    """Return who is on call in a schedule, None if the policy has no such one."""
    if schedule not in policy.schedules:
        return None
    return roster_of(cursor, schedule, policy, upto=upto)
