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
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.directory import DirectoryEntry, search
from shared.domain.events import PersonId
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.identifiers import IncidentRef
from shared.i18n.catalog import ENGLISH
from shared.i18n.formats import language_of

router = APIRouter(tags=["incidents"])


WhyNot = Literal["unknown_person", "no_address", "address_changed"]


class RecipientView(Answer):
    """A user who is told about the incident, by mail."""

    person: PersonId
    name: str | None
    """Null if unknown, and for callers who may not look them up."""
    address: str | None
    """Where the mail goes; null as for the name, and if no mail is sent."""
    language: str
    """The language of the mail: theirs, or the first of the desk's today."""
    why_not: WhyNot | None
    """Why no mail is sent to them: the directory lacks them, or their address, or has
    another than was recorded. Null if it is sent, as far as that is known, and of
    people whom the caller may not see."""
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
        listed = search(cursor, None, None, None, people) if people else ()
        addresses = checked_values(desk.log.vault, cursor, people)
    entries = {each.id: each for each in listed}
    fallback = policy.desk.languages[0] if policy else ENGLISH
    failures = _failures(found.notices)
    items = []
    for person in people:
        known_as = entries.get(person)
        seen = sight.sees_client(known_as.client if known_as else None)
        mail = addresses[person].get(DIRECTORY_MAIL)
        why_not = _why_not(known_as, mail) if seen else None
        shown = known_as if named and seen else None
        items.append(
            RecipientView(
                person=person,
                name=shown.name if shown else None,
                address=mail.value if shown and mail and not why_not else None,
                language=language_of(
                    known_as.language if known_as and seen else None, fallback
                ),
                why_not=why_not,
                last_failure=failures.get(person),
            )
        )
    return Recipients(incident=ref, items=items, as_of=upto)


def _why_not(
    known_as: DirectoryEntry | None, mail: ContactValue | None
) -> WhyNot | None:
    if known_as is None:
        return "unknown_person"
    if mail is None:
        return "no_address"
    return "address_changed" if mail.is_changed else None


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
