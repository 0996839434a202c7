"""The answer to a contact: what was recorded, and a receipt for the person.

The receipt has the reference and the promises in words. The mail that `escalation`
sends later says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.database.cursors import Cursors
from shared.directory import Person, person
from shared.domain.commands.contact import Contact
from shared.domain.events import is_incident_event, is_sla_event
from shared.domain.events.incident import IncidentContacted
from shared.domain.identifiers import IncidentRef, incident_stream, sla_stream
from shared.domain.incident import Incident, replay
from shared.domain.policy.document import Policy
from shared.domain.possible import while_possible
from shared.domain.sla import Clock, TargetPromise, promised, replay_in_reach
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.histories import skipped_by_owner
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.http.error_responses import UNREADABLE, Blocking
from shared.http.problem_details import HttpError
from shared.i18n.formats import Reader, instant_text, language_of
from shared.i18n.messages import say
from shared.i18n.user_notices import Promise, Receipt, Target
from shared.messaging.commands import CommandAnswer

_SHAPE = ConfigDict(frozen=True, use_attribute_docstrings=True)


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


def receipt(  # the text depends on each
    incident: Incident,
    clocks: Sequence[Clock],
    policy: Policy,
    person: Person | None,
    words: str | None,
    *,
    attached: bool,
) -> ReceiptView:
    """Return the receipt of a contact, in the language and zone of the person."""
    fallback = policy.desk.languages[0]
    language = language_of(person.language if person else None, fallback)
    zone = (person and person.zone) or policy.desk.timezone
    in_words = partial(instant_text, zone=zone, language=language)
    pledges = _pledges(incident, policy)
    promises = [
        _promised(target, incident, pledge, _clock(incident, clocks, target), in_words)
        for target, pledge in pledges.items()
    ]
    still_open = tuple(
        Promise(each.target, each.seconds, each.due_at, pledge.terms.ttr.stops_at)
        for each, pledge in zip(promises, pledges.values(), strict=True)
        if each.is_open
    )
    is_taken = incident.acknowledged_at is not None
    notice = Receipt(
        incident.ref, incident.title, still_open, words or "", attached, is_taken
    )
    reader = Reader(language, zone, person.name if person else "")
    message = say(notice, reader, fallback)
    return ReceiptView(
        reference=incident.ref,
        subject=message.subject,
        text=message.body,
        language=language,
        zone=zone,
        promises=promises,
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


def _promised(
    target: Target,
    incident: Incident,
    pledge: TargetPromise,
    clock: Clock | None,
    in_words: Callable[[datetime], str],
) -> ReceiptPromise:
    due_at = clock.due_at if clock else pledge.due_at
    shown = due_at if target != "update" else None
    taken = target == "tto" and incident.acknowledged_at is not None
    return ReceiptPromise(
        target=target,
        seconds=clock.seconds if clock else pledge.seconds,
        due_at=due_at,
        due_text=in_words(shown) if shown else None,
        is_open=not taken and (clock is None or clock.is_open),
    )


class ContactAnswer(CommandAnswer):
    """The outcome of a contact; it is recorded even if the person is unknown."""

    person: str | None
    """The id of the person; null if it cannot be read now."""
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
    look: Callable[[], AbstractContextManager[Cursors]]
    blocking: Blocking


async def contact_answer(
    done: CommandAnswer, contact: Contact, records: Records
) -> ContactAnswer:
    """Return the answer to a contact with the outcome `done`."""
    id_, known, note, shown = contact.person, None, None, None
    try:
        by, found, shown = await records.blocking(_receipt, records, contact, done)
        id_, known, note = by, found is not None, _unreached(by, found)
    except (HttpError, Unavailable, LookupError, *UNREADABLE):
        note = "it is recorded; the receipt cannot be written at the moment"
    return ContactAnswer(
        **done.model_dump(), person=id_, known=known, note=note, receipt=shown
    )


def _receipt(
    records: Records, contact: Contact, done: CommandAnswer
) -> tuple[str, Person | None, ReceiptView]:
    """Return the person, what the directory has of them, and the receipt. Blocks."""
    ref = done.incident
    with records.look() as cursor:
        streams = [incident_stream(ref), sla_stream(ref)]
        skipped = skipped_by_owner(cursor, streams)
        rows = records.log.stored_histories(cursor, streams)
        entries = records.log.entries([r for r in rows if r.position not in skipped])
        id_ = contact.person or _new_caller(entries, done.positions)
        found = person(cursor, id_)
    history = [e.event for e in entries if is_incident_event(e.event)]
    clocks = while_possible(
        replay_in_reach,
        ((e.event, e.recorded_at) for e in entries if is_sla_event(e.event)),
    )
    incident = while_possible(replay, history)
    if incident is None:
        raise LookupError(f"the log does not show {ref} yet")
    written = receipt(
        incident,
        clocks,
        records.policies(history[0].policy),
        found,
        contact.words,
        attached=contact.incident is not None,
    )
    return id_, found, written


def _new_caller(entries: Sequence[Entry], positions: Sequence[int]) -> str:
    """Return the id that a new caller got, from the contact that was recorded."""
    for entry in entries:
        if entry.position in positions and isinstance(entry.event, IncidentContacted):
            return entry.event.person
    raise LookupError("the log does not show the contact yet")


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
