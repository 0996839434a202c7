"""Whose a command about an incident is to say, as its owner will decide it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial

from services.projections.api.desk import Desk
from services.projections.log_queries import policy_in_force
from services.projections.queue.row import QueueRow
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.events import (
    EscalationAccepted,
    HandoverRequested,
    IncidentOpened,
    ServiceHandoverRequested,
)
from shared.domain.incident.relations import People, may_say
from shared.domain.page_state import standing_of
from shared.domain.policy.document import Policy
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

MaySay = Callable[[str], bool]
"""Whether a verb is somebody's to say."""
PolicyNow = Callable[[], Policy | None]


def policy_now(log: EventLog, cursor: Cursors) -> Policy | None:
    """Return the policy in force; None also for one that only a later version reads."""
    try:
        return policy_in_force(log, cursor)
    except UnreadableDocument:
        return None


def look_up_of(desk: Desk) -> PolicyNow:
    """Return the look-up of the policy in force, which reads it once, if asked."""

    @cache
    def look_up() -> Policy | None:
        with snapshot(desk.log) as cursor:
            return policy_now(desk.log, cursor)

    return look_up


def may_say_of_row(
    desk: Desk, row: QueueRow, person: str | None, now: PolicyNow
) -> MaySay:
    """Return what a person may say of an incident, as far as its row tells.

    Who was paged is not in the row: they find it on the page of the incident.
    """
    people = People(row.team, partial(_policies, desk, None, now))
    return partial(may_say, person=person, people=people)


def people_of(desk: Desk, past: Sequence[Entry], row: QueueRow) -> People:
    """Return the people of an incident after its events."""
    opened = next(e.event for e in past if isinstance(e.event, IncidentOpened))
    standing = standing_of(entry.event for entry in past)
    paged = {person for page in standing.pages for person in page.people}
    policies = partial(_policies, desk, opened.policy, look_up_of(desk))
    return People(row.team, policies, paged)


def accepted_by(past: Sequence[Entry], row: QueueRow, person: str | None) -> str | None:
    """Return who has accepted an incident; nobody while more people have to.

    Of several, `person` if they are among them.
    """
    taken = [
        entry.event
        for entry in past
        if isinstance(entry.event, EscalationAccepted)
        and (entry.event.cycle, entry.event.level) == (row.cycle, row.level)
    ]
    if row.accepted_by is None or not taken:
        return row.accepted_by
    if person in {each.person for each in taken}:
        return person
    return None if taken[-1].still_wanted else row.accepted_by


def people_of_handover(
    desk: Desk, request: HandoverRequested | ServiceHandoverRequested, now: PolicyNow
) -> People:
    """Return the people whom a hand-over asks."""
    return People(request.team, partial(_policies, desk, request.policy, now))


def _policies(desk: Desk, version: int | None, now: PolicyNow) -> Iterator[Policy]:
    if version is not None:
        with suppress(LookupError, UnreadableDocument):
            yield desk.policies(version)
    if (policy := now()) is not None:
        yield policy
