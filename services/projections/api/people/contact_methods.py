"""How people are reached: their contact methods, rules, and whether they are ready.

People see their own methods with part of the value. Others see kinds, and whether a
method is verified: enough to know whether somebody can be paged.
"""

from datetime import datetime
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, person_of
from services.projections.api.commands.messages import (
    ContactMethodPath,
    Message,
    about_contact_method,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import PersonPath, QueryParams
from services.projections.people import rights_version
from services.projections.snapshots import snapshot
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.history import contact_methods_of
from shared.contact_methods.readiness import Readiness, state
from shared.contact_methods.store import ContactValue, channels, push_key
from shared.database.cursors import Cursors
from shared.directory import DirectoryEntry, entry
from shared.domain.commands.contact_method import (
    ContactMethodAnswer,
    RemoveContactMethod,
)
from shared.domain.contact_methods import ContactMethods
from shared.domain.contact_methods.values import push_service
from shared.domain.events.contact_method import (
    ContactKind,
    NotificationRule,
    QuietHours,
)
from shared.domain.events.event import Actor
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(tags=["people"])


class ContactMethodView(Answer):
    """A way to reach a person."""

    method: str
    """`mail` is the address in the directory."""
    kind: ContactKind
    verified: bool
    value: str | None
    """Part of it, for its owner only."""
    added_at: AwareDatetime | None
    verified_at: AwareDatetime | None


class RulesView(Answer):
    """How a person is notified; an empty list means the desk's default."""

    default: list[NotificationRule]
    important: list[NotificationRule]
    quiet_hours: QuietHours | None


class AddressChangeView(Answer):
    """A change of a person's address or number in the directory."""

    address: Literal["mail", "phone"]
    at: AwareDatetime
    by: Actor


class ContactMethodsView(Answer):
    """How a person is reached. Send `version` as `If-Match`."""

    person: str
    version: int
    readiness: Readiness
    items: list[ContactMethodView]
    kinds: list[ContactKind]
    """The kinds of methods that this desk can send over."""
    web_push_key: str | None
    """The public key with which a browser subscribes; null without web push."""
    rules: RulesView | None
    """Null for others, and before the person set any."""
    zone: str | None
    """The person's time zone; null: the desk's. For its owner only."""
    address_changes: list[AddressChangeView]
    """The ten newest changes of the address and number in the directory. For its owner
    only."""


class PersonReadiness(Answer):
    """Whether a person can be paged."""

    person: str
    readiness: Readiness


@router.get("/v1/people/{person}/contact-methods", responses=refusals(404))
async def get_contact_methods(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: SomeReader,
) -> ContactMethodsView:
    """Show how a person is reached; of others only the kinds."""
    return await desk.blocking(_methods, desk, person, caller)


@router.get("/v1/people/{person}/readiness", responses=refusals(404))
async def get_readiness(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: SomeReader,
) -> PersonReadiness:
    """Show whether a person has a verified way to be paged."""
    return await desk.blocking(_readiness, desk, person, caller)


@router.delete(
    "/v1/people/{person}/contact-methods/{method}",
    responses=refusals(400, 404, 409, 412),
)
async def remove_contact_method(
    method: ContactMethodPath,  # noqa: ARG001 # it is in the message
    message: Annotated[Message, Depends(about_contact_method)],
    desk: DeskHere,
) -> ContactMethodAnswer:
    """Remove a contact method: nothing is sent to it any more."""
    kind = RemoveContactMethod
    return await desk.owner.ask(kind.aggregate, kind.verb, message, ContactMethodAnswer)


def _methods(desk: Desk, person: str, caller: Caller) -> ContactMethodsView:
    is_own = person_of(caller) == person
    with snapshot(desk.log) as cursor:
        known = _seen(cursor, person, caller)
        version = rights_version(cursor, person)
        held = contact_methods_of(cursor, [person])[person]
        values = checked_values(desk.log.vault, cursor, [person])[person]
        open_, key = channels(cursor), push_key(cursor)
    return ContactMethodsView(
        person=person,
        version=version,
        readiness=state(list(values.values())),
        items=[_view(each, is_own=is_own) for each in values.values()],
        kinds=[kind for kind in _KINDS if kind == "mail" or kind in open_],
        web_push_key=key,
        rules=_rules(held) if is_own else None,
        zone=known.zone if is_own else None,
        address_changes=_changes(held) if is_own else [],
    )


def _changes(held: ContactMethods) -> list[AddressChangeView]:
    changes = held.changes
    return [AddressChangeView.model_validate(each.model_dump()) for each in changes]


_KINDS: tuple[ContactKind, ...] = get_args(ContactKind)


def _view(value: ContactValue, *, is_own: bool) -> ContactMethodView:
    def own(instant: datetime | None) -> datetime | None:
        return instant if is_own else None

    return ContactMethodView.model_validate(
        {
            "method": value.method,
            "kind": value.kind,
            "verified": value.verified_at is not None,
            "value": masked(value) if is_own else None,
            "added_at": own(value.added_at),
            "verified_at": own(value.verified_at),
        }
    )


def masked(value: ContactValue) -> str:
    """Return as much of a value as its owner needs to recognise it."""
    text = value.value
    if value.kind == "mail":
        local, _, domain = text.rpartition("@")
        return f"{local[:2]}…@{domain}"
    if value.kind in ("sms", "voice"):
        return f"{text[:3]}…{text[-2:]}"
    if value.kind == "web_push":
        return push_service(text)
    return f"{text[:4]}…"


def _rules(held: ContactMethods) -> RulesView | None:
    if held.rules is None:
        return None
    return RulesView(
        default=list(held.rules.default),
        important=list(held.rules.important),
        quiet_hours=held.rules.quiet_hours,
    )


def _readiness(desk: Desk, person: str, caller: Caller) -> PersonReadiness:
    with snapshot(desk.log) as cursor:
        _seen(cursor, person, caller)
        values = checked_values(desk.log.vault, cursor, [person])[person]
    return PersonReadiness(person=person, readiness=state(list(values.values())))


def _seen(cursor: Cursors, person: str, caller: Caller) -> DirectoryEntry:
    """Return a person; whose rights are limited sees themselves only."""
    known = entry(cursor, person)
    if known and (person_of(caller) == person or not caller.is_limited):
        return known
    raise HttpError(
        404,
        f"nobody is called {person} here: look them up with GET /v1/people?q=…",
        code="unknown_person",
    )
