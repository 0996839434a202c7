"""Contacts: a person contacts the desk, about a new or an existing incident."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import SomeReader, person_of, sight_of
from services.projections.api.commands.messages import NewRecord
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import known_to
from services.projections.api.query_params import Name, QueryParams
from services.projections.api.redaction import redacted_rows
from services.projections.generations import AsOf
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow, with_own_reminders
from services.projections.read_models import QUEUE
from services.projections.sight import Sight
from services.projections.snapshots import brief_snapshot, snapshot
from shared.contacts.receipt import ContactAnswer, Records, contact_answer
from shared.domain.commands.contact import Contact, command_of
from shared.domain.policy.contracts import UNKNOWN
from shared.http.bodies import validated
from shared.messaging.commands import CommandAnswer

router = APIRouter(tags=["contacts"])

CANDIDATES_MAX = 10
"""The maximum number of proposals for each reason."""

Because = Literal["person", "service"]


class CandidatesQuery(QueryParams):
    """Who contacts the desk, and about which service."""

    person: Name | None = None
    service: Name | None = None


class Candidate(Answer):
    """An open incident, and why the contact may belong to it."""

    incident: QueueRow
    because: list[Because]
    """Reasons: the same person reported it first; it is about the same service."""


class Candidates(Answer):
    """Candidates, the most likely first."""

    items: list[Candidate]
    as_of: AsOf


@router.post(
    "/v1/contacts",
    status_code=201,
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=body_of(Contact),
)
async def take_contact(
    message: NewRecord, desk: DeskHere, response: Response
) -> ContactAnswer:
    """Record a contact: open an incident for it, or attach it to the one it names."""
    contact = validated(Contact, message.body, "contact")
    command = command_of(contact)
    body = command.model_dump(mode="json", exclude_defaults=True)
    about = message.model_copy(update={"incident": contact.incident, "body": body})
    done = await desk.owner.ask("incident", command.verb, about, CommandAnswer)
    response.headers["Location"] = f"/v1/incidents/{done.incident}"
    response.headers["ETag"] = f'"{done.version}"'
    look = partial(brief_snapshot, desk.log)
    records = Records(desk.log, desk.policies, look, desk.blocking)
    return await contact_answer(done, contact, records)


@router.get("/v1/contacts/candidates", responses=refusals())
async def get_candidates(
    query: Annotated[CandidatesQuery, Query()], desk: DeskHere, caller: SomeReader
) -> Candidates:
    """Propose open incidents to which a contact may belong, by person and service."""
    await desk.reached(query.min_position, QUEUE)
    person, sight = person_of(caller), sight_of(caller)
    return await desk.blocking(_candidates, desk, query, person, sight)


def _candidates(
    desk: Desk, query: CandidatesQuery, person: str | None, sight: Sight
) -> Candidates:
    by_reason: dict[Because, Filters] = {}
    if query.person:
        by_reason["person"] = Filters(reporter=query.person)
    if query.service and query.service != UNKNOWN:
        by_reason["service"] = Filters(service=query.service)
    rows: dict[str, QueueRow] = {}
    reasons: dict[str, list[Because]] = {}
    queue, part = QueueName("all"), Part(None, CANDIDATES_MAX, desk.clock())
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        for because, filters in by_reason.items():
            found = redacted_rows(
                desk.log,
                cursor,
                sight,
                page(cursor, schema, queue, filters, part, sight).rows,
            )
            for row in with_own_reminders(found, person):
                rows[row.ref] = row
                reasons.setdefault(row.ref, []).append(because)
    likely = sorted(rows, key=lambda ref: (-len(reasons[ref]), reasons[ref][0]))
    return Candidates(
        items=[Candidate(incident=rows[ref], because=reasons[ref]) for ref in likely],
        as_of=upto,
    )
