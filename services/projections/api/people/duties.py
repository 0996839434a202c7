"""What somebody leaves behind who is removed: open incidents, and places in the policy.

The policy is changed by `permanence config apply` only: until then the shifts stay
theirs, and nobody answers.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.api.desk import Desk
from services.projections.api.position import known_to
from services.projections.log_queries import policy_in_force
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from shared.domain.on_call import Roster, shifts
from shared.domain.policy.document import Policy, people_named
from shared.on_call_changes import rosters_of

INCIDENTS_MAX = 500
SHIFTS_MAX = 50
AHEAD = timedelta(days=56)
"""How far ahead shifts are listed."""


class OpenShift(Answer):
    """A shift that the policy has to give to somebody else."""

    schedule: str
    begins_at: AwareDatetime
    ends_at: AwareDatetime


class Duties(Answer):
    """What a person has to do at the desk."""

    assigned: list[QueueRow]
    """Open incidents assigned to them."""
    reported: list[QueueRow]
    """Open incidents that they reported first."""
    shifts: list[OpenShift]
    """Their shifts in the next eight weeks."""
    teams: list[str]
    """Teams of which they are a member or the manager."""
    policy: str | None
    """A place where the policy names them, if it does: it has to name somebody else."""


def duties(desk: Desk, person: str) -> Duties:
    """Return what a person has to do."""
    now = desk.clock()
    part = Part(None, INCIDENTS_MAX, now)
    everything = QueueName("all")
    with snapshot(desk.log) as cursor:
        schema, _ = known_to(cursor, QUEUE, 0)
        assigned = page(cursor, schema, QueueName("mine", person), Filters(), part)
        reported = page(cursor, schema, everything, Filters(reporter=person), part)
        policy = policy_in_force(desk.log, cursor)
        rosters = rosters_of(cursor, policy, since=now) if policy else {}
    return Duties(
        assigned=assigned.rows,
        reported=reported.rows,
        shifts=_shifts(rosters, person, now),
        teams=_teams(policy, person) if policy else [],
        policy=_place(policy, person) if policy else None,
    )


def _place(policy: Policy, person: str) -> str | None:
    place = people_named(policy).get(person)
    return ".".join(map(str, place)) if place else None


def _teams(policy: Policy, person: str) -> list[str]:
    return sorted(
        name
        for name, team in policy.teams.items()
        if person == team.manager or person in team.members
    )


def _shifts(
    rosters: Mapping[str, Roster], person: str, now: datetime
) -> list[OpenShift]:
    found = [
        OpenShift(schedule=name, begins_at=begins, ends_at=ends)
        for name, roster in sorted(rosters.items())
        for begins, ends in islice(_of(roster, person, now), SHIFTS_MAX)
    ]
    return sorted(found, key=lambda each: (each.begins_at, each.schedule))


def _of(
    roster: Roster, person: str, now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    for shift in shifts(roster, now, now + AHEAD):
        if person in shift.people:
            yield shift.begins, shift.ends
