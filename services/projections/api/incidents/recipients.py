"""Whom a message to the users of an incident goes to, and how, before it is sent."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, may_look_people_up, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known, no_incident
from services.projections.api.query_params import QueryParams, Ref
from services.projections.generations import AsOf
from services.projections.history.history import Notice, whole
from services.projections.log_queries import policy_in_force
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.directory import DirectoryEntry, entry
from shared.domain.events import PersonId
from shared.domain.identifiers import IncidentRef
from shared.i18n.catalog import ENGLISH
from shared.i18n.formats import language_of

router = APIRouter(tags=["incidents"])


class RecipientView(Answer):
    """A user who is told about the incident, by mail."""

    person: PersonId
    name: str | None
    """Null if unknown, and for callers who may not look people up."""
    address: str | None
    """Where the mail goes; null as for the name."""
    language: str
    """The language of the mail: theirs, or the first of the desk."""
    why_not: Literal["unknown_person", "no_address"] | None
    """Why no mail can reach them: the directory lacks them, or their address."""
    last_failure: str | None
    """Why the last message to them could not be delivered; null if it was not so."""


class Recipients(Answer):
    """The users who are told about the incident: all who reported it."""

    incident: IncidentRef
    items: list[RecipientView]
    as_of: AsOf


@router.get("/v1/incidents/{ref}/recipients", responses=refusals(404))
async def list_recipients(
    ref: Ref,
    query: Annotated[QueryParams, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> Recipients:
    """Show whom a message to the users of the incident would go to now.

    In which language and to which address, or why it cannot reach them. It is empty
    if nobody has reported the incident: then nobody is told.
    """
    named = may_look_people_up(caller)
    read = partial(_recipients, named=named)
    return await desk.blocking(read, desk, ref, query, sight_of(caller))


def _recipients(
    desk: Desk, ref: str, query: QueryParams, sight: Sight, *, named: bool
) -> Recipients:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        found = whole(history(desk.log, cursor, ref, upto, sight))
        if found is None:
            raise no_incident(ref)
        policy = policy_in_force(desk.log, cursor)
        people = sorted(found.incident.reporters)
        entries = {each: entry(cursor, each) for each in people}
    fallback = policy.desk.languages[0] if policy else ENGLISH
    failures = _failures(found.notices)
    return Recipients(
        incident=ref,
        items=[
            _view(each, entries[each], fallback, failures.get(each), named=named)
            for each in people
        ],
        as_of=upto,
    )


def _failures(notices: Iterable[Notice]) -> Mapping[str, str]:
    """Return why the last message to each user failed, of those whose did."""
    last: dict[str, Notice] = {}
    for each in sorted(notices, key=lambda each: each.at):
        if each.audience == "user" and each.person:
            last[each.person] = each
    return {
        person: each.reason or ""
        for person, each in last.items()
        if each.state == "failed"
    }


def _view(
    person: str,
    known_as: DirectoryEntry | None,
    fallback: str,
    failure: str | None,
    *,
    named: bool,
) -> RecipientView:
    why_not: Literal["unknown_person", "no_address"] | None = None
    if known_as is None:
        why_not = "unknown_person"
    elif known_as.email is None:
        why_not = "no_address"
    seen = known_as if named else None
    return RecipientView(
        person=person,
        name=seen.name if seen else None,
        address=seen.email if seen else None,
        language=language_of(known_as.language if known_as else None, fallback),
        why_not=why_not,
        last_failure=failure,
    )
