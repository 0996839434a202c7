"""What a new desk still needs before it can work: people, mail, a source, on call.

Each step is judged by what happened, not by settings: mail is set up once a server has
accepted a message or somebody has used the link of an invitation, a source once it has
reported an incident.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import ClientReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import QueryParams
from services.projections.generations import AsOf
from services.projections.log_queries import known_at, policy_at
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.directory import reachable
from shared.domain.on_call import on_call
from shared.on_call_changes import rosters_of

router = APIRouter(tags=["setup"])

EVENTS_MAX = 10_000
"""The first events of the log in which steps are looked for: a desk with more works."""
PEOPLE_MIN = 2
"""A desk of one person has nobody to escalate to."""

Step = Literal["people", "mail", "source", "on_call"]

_HAPPENED = """
SELECT EXISTS (
    SELECT 1 FROM log.events
    WHERE notification_id <= %(most)s AND topic = 'notification.confirmed'
) OR EXISTS (
    SELECT 1 FROM access.sign_in_links
    WHERE method = 'invitation' AND used_at IS NOT NULL
), EXISTS (
    SELECT 1 FROM log.events
    WHERE notification_id <= %(most)s AND topic = 'incident.opened'
      AND log.said(state, 'by') LIKE 'source:%%'
)
"""


class SetupStep(Answer):
    """A step of setting up a desk, in the order in which they are best taken."""

    step: Step
    done: bool


class Setup(Answer):
    """What a new desk still needs before it can work."""

    items: list[SetupStep]
    as_of: AsOf


@router.get("/v1/setup", responses=refusals())
async def get_setup(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    _: ClientReader,
) -> Setup:
    """Show what this desk still needs before it can work."""
    return await desk.blocking(_setup, desk)


def _setup(desk: Desk) -> Setup:
    with snapshot(desk.log) as cursor:
        as_of = known_at(cursor, None)
        people = reachable(cursor, PEOPLE_MIN)
        row = cursor.execute(_HAPPENED, {"most": EVENTS_MAX}).fetchone()
        mail, source = row or (False, False)
        done = {
            "people": len(people) >= PEOPLE_MIN,
            "mail": mail,
            "source": source,
            "on_call": _is_covered(desk, cursor, as_of),
        }
    items = [SetupStep.model_validate({"step": s, "done": d}) for s, d in done.items()]
    return Setup(items=items, as_of=as_of)


def _is_covered(desk: Desk, cursor: Cursors, as_of: AsOf) -> bool:
    """Return whether somebody who can be reached is on call in every schedule."""
    found = policy_at(desk.log, cursor, as_of.position)
    if found is None or not found[1].schedules:
        return False
    now = desk.clock()
    rosters = rosters_of(cursor, found[1], since=now).values()
    covered = [on_call(roster, now) for roster in rosters]
    duty = {person for people in covered for person in people}
    return all(covered) and duty <= set(reachable(cursor, len(duty), sorted(duty)))
