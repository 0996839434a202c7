"""What a policy leaves behind in teams and schedules that it no longer has.

Their incidents stay with a team in which nobody is, and nobody is paged by a schedule
that is gone. Both are seen before the policy is applied, or not at all.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor

from services.intake.policy.store import current
from shared.domain.on_call.shifts import on_call
from shared.domain.policy.document import Policy
from shared.domain.policy.validation import placed
from shared.eventlog.log import EventLog
from shared.mistake import Mistake, Wrong
from shared.on_call_changes import rosters_of

Cursors = Cursor[tuple[Any, ...]]
SHOWN_MAX = 3
"""Incidents that are named; the others are counted."""

_AT_WORK = """
SELECT at_work_team, count(*), (array_agg(incident ORDER BY incident))[:%s]
FROM escalation.cases WHERE at_work_team = ANY(%s)
GROUP BY at_work_team ORDER BY at_work_team
"""


class LeftBehind(NamedTuple):
    """What is wrong with a policy, where its file lacks a team or a schedule."""

    work: Sequence[Mistake] = ()
    """Incidents at work with teams that are gone."""
    on_call: Sequence[Mistake] = ()
    """People who are on call now in schedules that are gone."""


def left_behind(log: EventLog, text: str, policy: Policy, now: datetime) -> LeftBehind:
    """Return what the policy in `text` leaves behind, if it follows the one in force.

    Incidents are counted as escalation knows them: a moment after they were recorded.
    """
    in_force = current(log)
    if in_force is None:
        return LeftBehind()
    _, before = in_force
    with log.transaction() as cursor:
        work = placed(text, _work(cursor, before, policy))
        people = placed(text, _people(cursor, before, policy, now))
    return LeftBehind(work, people)


def _work(cursor: Cursors, before: Policy, after: Policy) -> Iterator[Wrong]:
    gone = sorted(before.teams.keys() - after.teams.keys())
    for team, number, refs in cursor.execute(_AT_WORK, (SHOWN_MAX, gone)).fetchall():
        named = ", ".join(refs) + (", …" if number > len(refs) else "")
        sentence = (
            f"the policy drops this team while incidents are with it ({number}: "
            f"{named}): assign them to the team that takes over first, or apply the "
            "policy with --leave-work"
        )
        yield ("teams", team), sentence


def _people(
    cursor: Cursors, before: Policy, after: Policy, now: datetime
) -> Iterator[Wrong]:
    gone = sorted(before.schedules.keys() - after.schedules.keys())
    rosters = rosters_of(cursor, before, since=now) if gone else {}
    for schedule in gone:
        if people := on_call(rosters[schedule], now):
            sentence = (
                "the policy drops this schedule while somebody is on call in it "
                f"({', '.join(people)}): nobody is paged by it from then on"
            )
            yield ("schedules", schedule), sentence
