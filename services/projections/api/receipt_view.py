"""The receipt of a contact, read from log and directory, as the API shows it."""

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.api.desk import Desk
from services.projections.directory import Person, person
from services.projections.receipts import Target, receipt
from services.projections.snapshots import snapshot
from shared.contact import Contact
from shared.events import is_incident_event, is_sla_event
from shared.incident import replay
from shared.references import IncidentRef, incident_stream, sla_stream
from shared.sla import replay as replay_clocks


class PromiseView(Answer):
    """A target, in working seconds, and when that is over."""

    target: Target
    seconds: int
    due_at: AwareDatetime | None
    """None while its clock stands."""
    due_text: str | None
    """The same as the person would say it; none for `update`, which is a rhythm."""
    is_open: bool
    """It is still to be kept."""


class ReceiptView(Answer):
    """What the person may be told at once, in their language and zone."""

    reference: IncidentRef
    subject: str
    text: str
    language: str
    zone: str
    promises: list[PromiseView]


def read_receipt(
    desk: Desk, contact: Contact, ref: str
) -> tuple[Person | None, ReceiptView]:
    """Return whom the directory knows, and what they are told. Blocks."""
    with snapshot(desk.log) as cursor:
        found = person(cursor, contact.person)
        entries = desk.log.histories(cursor, [incident_stream(ref), sla_stream(ref)])
    history = [e.event for e in entries if is_incident_event(e.event)]
    clocks = replay_clocks(e.event for e in entries if is_sla_event(e.event))
    incident = replay(history)
    if incident is None:
        raise LookupError(f"the log does not show {ref} yet")
    made = receipt(
        incident,
        clocks,
        desk.policies(history[0].policy),
        found,
        contact.words,
        attached=contact.incident is not None,
    )
    return found, ReceiptView.model_validate(made)


def unreached(id_: str, found: Person | None) -> str | None:
    """Return why no mail can reach a person; None where it can."""
    if found is None:
        return (
            f"the directory knows no {id_}, so no mail can reach them: import them "
            "with `permanence people import`, and it will"
        )
    if not found.has_mail:
        return f"the directory has no e-mail address of {id_}: no mail can reach them"
    return None
