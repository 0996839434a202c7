"""Looks a caller up while somebody types: who they are, and what is open for them.

And lists the clients that somebody may belong to whom the directory does not have.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeCommander, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.people.endpoints import PersonView
from services.projections.api.position import known_to
from services.projections.api.query_params import QueryParams
from services.projections.api.redaction import redacted_rows
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force
from services.projections.queue.page import open_of_people
from services.projections.queue.row import QueueRow
from services.projections.read_models import QUEUE
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.directory import DirectoryEntry, callers, clients
from shared.domain.identifiers import IncidentRef
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority
from shared.security.access import Caller

router = APIRouter(tags=["people"])

CALLERS_MAX = 8
"""The maximum number of people that one look-up shows."""
FOUND_MAX = 40
"""How many people are read, of whom the caller of the API may not see all."""
OPEN_READ_MAX = 200
"""The maximum number of open incidents that one look-up reads."""
OPEN_SHOWN_MAX = 4
"""The maximum number of open incidents shown for a person, and for their client."""
CLIENTS_MAX = 500
"""How many clients of the directory are read."""
Matched = Literal["phone", "email", "id", "name", "client"]


class CallersQuery(QueryParams):
    """What is known of a caller so far."""

    q: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True,
            min_length=2,
            max_length=100,
            pattern=r"^[^\x00-\x1f]+$",
        ),
    ]
    """Parts of a name, an id, an address or a client; or at least four digits of a
    telephone number."""


class OpenIncident(Answer):
    """An open incident, in one line."""

    ref: IncidentRef
    title: str
    status: Status
    priority: Priority
    service: str


class CallerView(Answer):
    """A person who may be calling, and what is open for them."""

    person: PersonView
    matched: Matched | None
    """What the look-up found them by, if it is one thing."""
    reported: list[OpenIncident]
    """Open incidents that they reported first."""
    of_client: list[OpenIncident]
    """Other open incidents of their client."""


class Callers(Answer):
    """People who may be calling, the most likely first."""

    items: list[CallerView]
    as_of: AsOf


class ClientView(Answer):
    """An organisation that people belong to."""

    client: str


class Clients(Answer):
    """The clients of the policy and of the directory, by name."""

    items: list[ClientView]


@router.get("/v1/clients", responses=refusals())
async def get_clients(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: SomeCommander,
) -> Clients:
    """List the clients that somebody may belong to, as far as the caller sees them."""
    return await desk.blocking(_clients, desk, sight_of(caller))


@router.get("/v1/callers", responses=refusals())
async def get_callers(
    query: Annotated[CallersQuery, Query()], desk: DeskHere, caller: SomeCommander
) -> Callers:
    """Look a caller up as one types, with what is open for them and their client."""
    await desk.reached(query.min_position, QUEUE)
    return await desk.blocking(_callers, desk, caller, query)


def _callers(desk: Desk, caller: Caller, query: CallersQuery) -> Callers:
    sight = sight_of(caller)
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        known = callers(cursor, query.q, FOUND_MAX)
        found = [each for each in known if sight.sees_client(each.client)][:CALLERS_MAX]
        rows = open_of_people(
            cursor,
            schema,
            [each.id for each in found],
            sorted({each.client for each in found if each.client}),
            OPEN_READ_MAX,
            sight,
        )
        seen = redacted_rows(desk.log, cursor, sight, rows)
    return Callers(items=[_view(each, query.q, seen) for each in found], as_of=upto)


def _clients(desk: Desk, sight: Sight) -> Clients:
    with snapshot(desk.log) as cursor:
        policy = policy_in_force(desk.log, cursor)
        named = set(clients(cursor, CLIENTS_MAX))
    if policy is not None:
        named |= {each.client for each in policy.contracts.values() if each.client}
    return Clients(
        items=[
            ClientView(client=each) for each in sorted(named) if sight.sees_client(each)
        ]
    )


def _view(person: DirectoryEntry, q: str, rows: Sequence[QueueRow]) -> CallerView:
    own = [row for row in rows if row.reporter == person.id]
    others = [
        row
        for row in rows
        if person.client and row.client == person.client and row not in own
    ]
    return CallerView(
        person=PersonView.model_validate(person),
        matched=matched_by(person, q),
        reported=_shown(own),
        of_client=_shown(others),
    )


def _shown(rows: Iterable[QueueRow]) -> list[OpenIncident]:
    return [OpenIncident.model_validate(row) for row in rows][:OPEN_SHOWN_MAX]


def matched_by(person: DirectoryEntry, q: str) -> Matched | None:
    """Return the field that has all of what was typed, None if several have it."""
    asked = q.strip().casefold()
    digits = "".join(each for each in asked if each.isdigit())
    known = "".join(each for each in person.phone or "" if each.isdigit())
    if digits and not any(each.isalpha() for each in asked) and digits[-9:] in known:
        return "phone"
    fields: tuple[tuple[Matched, str | None], ...] = (
        ("name", person.name),
        ("id", person.id),
        ("email", person.email),
        ("client", person.client),
    )
    for name, value in fields:
        if value and all(word in value.casefold() for word in asked.split()):
            return name
    return None
