"""The open work of teams: records, hand-overs that wait, and roles for their records.

Incidents and hand-overs are those that escalation knows of: a moment after they were
recorded.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.database.cursors import Cursors
from shared.domain.record import record_of

Kind = Literal["incident", "problem", "change"]
SHOWN_MAX = 3
"""Records that are named; the others are counted."""


class Work(NamedTuple):
    """An open record, and the team that has it."""

    team: str
    kind: Kind
    ref: str
    assignee: str | None = None


_INCIDENTS = """
SELECT at_work_team, incident, state ->> 'assignee' FROM escalation.cases
WHERE at_work_team IS NOT NULL AND at_work_team <> ALL(%(known)s)
ORDER BY at_work_team, length(incident), incident
"""
_RECORDS = """
SELECT team, split_part(stream, '-', 1), stream FROM (
    SELECT begun.originator_id AS stream, (
        SELECT log.said(given.state, 'team')
        FROM log.events AS given
        WHERE given.originator_id = begun.originator_id AND topic IN (
            'problem.identified', 'problem.assigned',
            'change.requested', 'change.assigned')
        ORDER BY originator_version DESC LIMIT 1) AS team
    FROM log.events AS begun
    WHERE topic IN ('problem.identified', 'change.requested') AND NOT EXISTS (
        SELECT FROM log.events AS over
        WHERE topic IN ('problem.resolved', 'change.implemented', 'change.cancelled')
          AND over.originator_id COLLATE "C" = begun.originator_id)) AS held
WHERE team <> ALL(%(known)s) ORDER BY team, 2 DESC, length(stream), stream
"""
_CLIMBING = """
SELECT incident FROM escalation.cases
WHERE at_work_team IS NOT NULL AND at_work_team <> %(team)s
  AND state ->> 'service' = ANY(%(services)s)
  AND state #>> '{post,level}' = ANY(%(below)s)
ORDER BY length(incident), incident
"""
_WAITING = """
SELECT DISTINCT incident, length(incident) FROM (
    SELECT incident, cases.state -> 'handover' AS held
    FROM escalation.waiting_handovers JOIN escalation.cases USING (incident)
    UNION ALL
    SELECT incident, cases.state -> 'service_handover'
    FROM log.events JOIN escalation.cases
        ON incident = substr(originator_id, length('handover-') + 1)
    WHERE topic = 'handover.service_requested') AS asked
WHERE held ->> 'team' = %(team)s AND (
    held ->> 'state' IN ('requested', 'unanswered')
    OR held ->> 'to_be_confirmed' = 'true')
ORDER BY length(incident), incident
"""

_LIMITED = """
SELECT grant_id FROM access.grants
WHERE %(team)s = ANY(teams) AND withdrawn_at IS NULL
  AND (until IS NULL OR until > %(now)s)
ORDER BY grant_id
"""


def work_of_others(cursor: Cursors, known: Collection[str]) -> list[Work]:
    """Return the open records of teams that are not among those `known`."""
    given = {"known": list(known)}
    found = [
        Work(team, "incident", ref, assignee)
        for team, ref, assignee in cursor.execute(_INCIDENTS, given).fetchall()
    ]
    return found + [
        Work(team, kind, record_of(stream))
        for team, kind, stream in cursor.execute(_RECORDS, given).fetchall()
    ]


def waiting_handovers(cursor: Cursors, team: str) -> list[str]:
    """Return the incidents whose hand-over waits for an answer of a team.

    That is their own, or that of the service whose budget they used up.
    """
    return [ref for ref, _ in cursor.execute(_WAITING, {"team": team}).fetchall()]


def limited_roles(cursor: Cursors, team: str, now: datetime) -> list[str]:
    """Return the ids of the roles of people that are limited to a team."""
    given = {"team": team, "now": now}
    return [grant for (grant,) in cursor.execute(_LIMITED, given).fetchall()]


def climbing(
    cursor: Cursors, team: str, services: Sequence[str], below: Sequence[str]
) -> list[str]:
    """Return the open incidents of these services at levels below that of a team."""
    given = {"team": team, "services": list(services), "below": list(below)}
    return [ref for (ref,) in cursor.execute(_CLIMBING, given).fetchall()]


def listed(work: Sequence[Work]) -> Mapping[Kind, Sequence[str]]:
    """Return the references of records by kind, incidents first."""
    refs: defaultdict[Kind, list[str]] = defaultdict(list)
    for each in work:
        refs[each.kind].append(each.ref)
    return dict(refs)


def by_team(work: Sequence[Work]) -> Mapping[str, Sequence[Work]]:
    """Return the records of each team."""
    found: defaultdict[str, list[Work]] = defaultdict(list)
    for each in work:
        found[each.team].append(each)
    return dict(found)


def in_words(work: Sequence[Work]) -> str:
    """Return `2 incidents (INC-000001, INC-000002) and 1 change (CHG-000003)`."""
    *first, last = [counted(kind, refs) for kind, refs in listed(work).items()]
    return f"{', '.join(first)} and {last}" if first else last


def counted(what: str, refs: Sequence[str]) -> str:
    """Return how many of something there are, and the first of them."""
    named = ", ".join(refs[:SHOWN_MAX]) + (", …" if len(refs) > SHOWN_MAX else "")
    return f"{len(refs)} {what}{'' if len(refs) == 1 else 's'} ({named})"
