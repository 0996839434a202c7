"""The answer to a contact: what was recorded, and a receipt for the person.

The receipt has the reference and the promises in words. The mail that `escalation`
sends later says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Cursor
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.directory import Person, person
from shared.domain.commands.contact import Contact
from shared.domain.events import is_incident_event, is_sla_event
from shared.domain.identifiers import IncidentRef, incident_stream, sla_stream
from shared.domain.incident import Incident, replay
from shared.domain.policy.document import Policy
from shared.domain.sla import Clock, TargetPromise, promised
from shared.domain.sla import replay as replay_clocks
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.http.error_responses import Blocking
from shared.http.problem_details import HttpError
from shared.i18n.formats import Language, Reader, instant_text, language_of
from shared.i18n.messages import say
from shared.i18n.promise_lines import Promise
from shared.i18n.user_notices import Receipt as Notice
from shared.messaging.commands import CommandAnswer

Target = Literal["tto", "ttr", "update"]


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise, with its due instant in words.

    `due_at` is None while its clock is paused; so is `due_text`, and for periodic
    updates. `is_open`: it is still to be met.
    """

    target: Target
    seconds: int
    due_at: datetime | None
    due_text: str | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """The promises about an incident, and a text to read out or to send."""

    reference: str
    subject: str
    text: str
    language: Language
    zone: str
    promises: tuple[Promised, ...]


def receipt(  # the text depends on each
    incident: Incident,
    clocks: Sequence[Clock],
    policy: Policy,
    person: Person | None,
    words: str | None,
    *,
    attached: bool,
) -> Receipt:
    """Return the receipt of a contact, in the language and zone of the person."""
    zone = (person and person.zone) or policy.desk.timezone
    fallback = policy.desk.languages[0]
    asked = person.language if person else None
    language = language_of(asked, fallback)
    pledges = _pledges(incident, policy)
    promises = tuple(
        _promised(
            target, incident, pledge, _clock(incident, clocks, target), zone, language
        )
        for target, pledge in pledges.items()
    )
    notice = Notice(
        incident.ref,
        incident.title,
        tuple(
            Promise(each.target, each.seconds, each.due_at, pledge.terms.ttr.stops_at)
            for each, pledge in zip(promises, pledges.values(), strict=True)
            if each.is_open
        ),
        words or "",
        attached=attached,
        taken=incident.acknowledged_at is not None,
    )
    name = person.name if person else ""
    message = say(notice, Reader(asked, zone, name), fallback)
    return Receipt(
        incident.ref, message.subject, message.body, language, zone, promises
    )


def _pledges(incident: Incident, policy: Policy) -> Mapping[Target, TargetPromise]:
    try:
        return promised(
            policy,
            incident.service,
            incident.client,
            incident.priority,
            incident.reported_at,
            incident.noticed,
        )
    except ValueError:  # a calendar without open hours gives no due date
        return {}


def _clock(incident: Incident, clocks: Sequence[Clock], target: Target) -> Clock | None:
    """Return the newest clock of a target in this cycle; None on a new incident."""
    found = [
        clock
        for clock in clocks
        if (clock.name.target, clock.name.cycle) == (target, incident.cycle)
    ]
    return found[-1] if found else None


def _promised(  # the text depends on each
    target: Target,
    incident: Incident,
    pledge: TargetPromise,
    clock: Clock | None,
    zone: str,
    language: Language,
) -> Promised:
    due_at = clock.due_at if clock else pledge.due_at
    told = due_at if target != "update" else None
    taken = target == "tto" and incident.acknowledged_at is not None
    return Promised(
        target,
        clock.seconds if clock else pledge.seconds,
        due_at,
        instant_text(told, zone, language) if told else None,
        is_open=clock.is_open if clock else not taken,
    )


_SHAPE = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class ReceiptPromise(BaseModel):
    """A promise: its target in working seconds, and when it is due."""

    model_config = _SHAPE

    target: Target
    seconds: int
    due_at: AwareDatetime | None
    """Null while its clock is paused."""
    due_text: str | None
    """The same in words; null for `update`, which is periodic."""
    is_open: bool
    """Whether the promise is still open."""


class ReceiptView(BaseModel):
    """The receipt for the person, in their language and time zone."""

    model_config = _SHAPE

    reference: IncidentRef
    subject: str
    text: str
    language: str
    zone: str
    promises: list[ReceiptPromise]


class ContactAnswer(CommandAnswer):
    """The outcome of a contact; it is recorded even if the person is unknown."""

    known: bool | None
    """Whether the directory knows the person; null if it cannot be read now."""
    note: str | None
    """Why messages of the desk cannot reach the person."""
    receipt: ReceiptView | None
    """Null if it cannot be written now; the contact is recorded nevertheless."""


@dataclass(frozen=True)
class Records:
    """The source of the answer; `look` opens a read-only transaction."""

    log: EventLog
    policies: PolicyVersions
    look: Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]
    blocking: Blocking


async def contact_answer(
    done: CommandAnswer, contact: Contact, records: Records
) -> ContactAnswer:
    """Return the answer to a contact with the outcome `done`."""
    known, note, told = None, None, None
    try:
        found, told = await records.blocking(_receipt, records, contact, done.incident)
        known, note = found is not None, _unreached(contact.person, found)
    except (HttpError, Unavailable, LookupError):
        note = "it is recorded; the receipt cannot be written at the moment"
    return ContactAnswer(**done.model_dump(), known=known, note=note, receipt=told)


def _receipt(
    records: Records, contact: Contact, ref: str
) -> tuple[Person | None, ReceiptView]:
    """Return the person, if known, and the receipt. Blocks."""
    with records.look() as cursor:
        found = person(cursor, contact.person)
        entries = records.log.histories(cursor, [incident_stream(ref), sla_stream(ref)])
    history = [e.event for e in entries if is_incident_event(e.event)]
    clocks = replay_clocks(e.event for e in entries if is_sla_event(e.event))
    incident = replay(history)
    if incident is None:
        raise LookupError(f"the log does not show {ref} yet")
    made = receipt(
        incident,
        clocks,
        records.policies(history[0].policy),
        found,
        contact.words,
        attached=contact.incident is not None,
    )
    return found, ReceiptView.model_validate(made)


def _unreached(id_: str, found: Person | None) -> str | None:
    """Return why mail cannot reach a person; None if it can."""
    if found is None:
        return (
            f"the directory knows no {id_}, so no mail can reach them: import them "
            "with `permanence people import`, and it will"
        )
    if not found.has_mail:
        return f"the directory has no e-mail address of {id_}: no mail can reach them"
    return None
