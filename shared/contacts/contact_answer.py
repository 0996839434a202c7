"""The answer to a contact: what is recorded, and what the person may be told now."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.answering import Blocking
from shared.command import CommandAnswer
from shared.contacts.receipt import Target, receipt
from shared.directory import Person, person
from shared.domain.commands.contact import Contact
from shared.domain.events import is_incident_event, is_sla_event
from shared.domain.identifiers import IncidentRef, incident_stream, sla_stream
from shared.domain.incident import replay
from shared.domain.sla import replay as replay_clocks
from shared.event_log import EventLog
from shared.log_errors import Unavailable
from shared.policies import PolicyVersions
from shared.problem import Problem

_SHAPE = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class ReceiptPromise(BaseModel):
    """A target, in working seconds, and when that is over."""

    model_config = _SHAPE

    target: Target
    seconds: int
    due_at: AwareDatetime | None
    """None while its clock stands."""
    due_text: str | None
    """The same as the person would say it; none for `update`, which is a rhythm."""
    is_open: bool
    """It is still to be kept."""


class ReceiptView(BaseModel):
    """What the person may be told at once, in their language and zone."""

    model_config = _SHAPE

    reference: IncidentRef
    subject: str
    text: str
    language: str
    zone: str
    promises: list[ReceiptPromise]


class ContactAnswer(CommandAnswer):
    """The outcome of a contact. It is recorded, whoever the person is."""

    known: bool | None
    """Whether the directory knows the person; null where that cannot be told now."""
    note: str | None
    """Why nothing that the desk writes will reach the person."""
    receipt: ReceiptView | None
    """Null where it cannot be written now; the contact is recorded all the same."""


@dataclass(frozen=True)
class Records:
    """Where the answer is read from; `look` opens a transaction that only reads."""

    log: EventLog
    policies: PolicyVersions
    look: Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]
    blocking: Blocking


async def contact_answer(
    done: CommandAnswer, contact: Contact, records: Records
) -> ContactAnswer:
    """Return the answer to a contact that was recorded as `done` says."""
    known, note, told = None, None, None
    try:
        found, told = await records.blocking(_receipt, records, contact, done.incident)
        known, note = found is not None, _unreached(contact.person, found)
    except (Problem, Unavailable, LookupError):
        note = "it is recorded; the receipt cannot be written at the moment"
    return ContactAnswer(**done.model_dump(), known=known, note=note, receipt=told)


def _receipt(
    records: Records, contact: Contact, ref: str
) -> tuple[Person | None, ReceiptView]:
    """Return whom the directory knows, and what they are told. Blocks."""
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
    """Return why no mail can reach a person; None where it can."""
    if found is None:
        return (
            f"the directory knows no {id_}, so no mail can reach them: import them "
            "with `permanence people import`, and it will"
        )
    if not found.has_mail:
        return f"the directory has no e-mail address of {id_}: no mail can reach them"
    return None
