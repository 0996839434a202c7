"""What auditors see of a decision: who, when, for when and why; no personal words."""

from collections.abc import Mapping, Sequence

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.audit.entries import AuditEntry, fields_of
from services.projections.audit.kinds import Kind
from services.projections.generations import AsOf
from services.projections.timeline.sentences import Style, sentence
from shared.domain.identifiers import IncidentRef
from shared.eventlog.entry import Entry
from shared.i18n.catalog import Language, text_of

FORGOTTEN_KEY = "forgotten"
REFUSED_COMMAND = "refused"


class AuditItem(Answer):
    """Something that needs judgement."""

    kind: Kind
    type: str
    """The event type; `command.refused` and `key.destroyed` are not in the log."""
    position: int | None
    """Its place in the log; null for what is in a journal beside it."""
    stream: str | None
    incident: IncidentRef | None
    recorded_at: AwareDatetime
    effective_at: AwareDatetime | None
    """The instant for which it was recorded, if it names one."""
    backdated_seconds: int | None
    """How much earlier than recorded that is; null if it is not."""
    actor: str | None
    """Who did it; null if that is not recorded."""
    subject: str | None
    """The person whom it is about, or whose answer it is."""
    reason: str | None
    """The reason, unless it is personal: then it is on the page of the incident."""
    has_reason: bool
    """Whether a reason was given."""
    sentence: str
    """What happened, in words; personal words are `[…]`."""


class AuditList(Answer):
    """What needs judgement, of one kind."""

    items: list[AuditItem]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class KindCount(Answer):
    """How much there is of a kind."""

    kind: Kind
    count: int


class AuditSummary(Answer):
    """How much needs judgement in a period, by kind."""

    items: list[KindCount]
    start: AwareDatetime
    end: AwareDatetime
    after: int
    """The last position before the period."""
    upto: int
    """The last position of the period so far."""
    as_of: AsOf


class DecisionView(Answer):
    """What a person did about an incident."""

    position: int
    recorded_at: AwareDatetime
    actor: str
    type: str
    sentence: str
    """What happened, in words; personal words are `[…]`."""


class IncidentAudit(Answer):
    """What an auditor checks about an incident, oldest first."""

    incident: IncidentRef
    items: list[AuditItem]
    """What needs judgement."""
    decisions: list[DecisionView]
    """What people decided, each step of it."""
    as_of: AsOf


def item_of(entry: AuditEntry, language: Language, style: Style) -> AuditItem:
    """Return an entry with its sentence."""
    return AuditItem(
        kind=entry.kind,
        type=entry.type,
        position=entry.position,
        stream=entry.stream,
        incident=entry.incident,
        recorded_at=entry.recorded_at,
        effective_at=entry.effective_at,
        backdated_seconds=entry.backdated_seconds,
        actor=entry.actor,
        subject=entry.subject,
        reason=entry.reason,
        has_reason=entry.has_reason,
        sentence=_sentence(entry, language, style),
    )


def decision_of(entry: Entry, language: Language, style: Style) -> DecisionView:
    """Return an event of a person with its sentence."""
    event = entry.event
    fields = fields_of(event, entry)
    return DecisionView(
        position=entry.position,
        recorded_at=entry.recorded_at,
        actor=event.by,
        type=entry.type,
        sentence=sentence(entry.type, event.by, fields, language, style),
    )


def _sentence(entry: AuditEntry, language: Language, style: Style) -> str:
    if entry.fields is None:
        return text_of(language, "audit", "unreadable")
    match entry.kind:
        case "refusals":
            return _filled(language, REFUSED_COMMAND, entry.fields)
        case "forgets":
            return _filled(language, FORGOTTEN_KEY, entry.fields)
        case _:
            return sentence(
                entry.type, entry.actor or "", entry.fields, language, style
            )


def _filled(language: Language, name: str, fields: Mapping[str, object]) -> str:
    return text_of(language, "audit", name).format_map(fields)


def people_of(entries: Sequence[AuditEntry]) -> list[tuple[str, Mapping[str, object]]]:
    """Return actors and fields, in which people occur."""
    return [(each.actor or "", each.fields or {}) for each in entries]
