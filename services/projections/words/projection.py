"""Applies events to the hashes of a record. Pure: the key for hashes is an argument.

All streams about an incident add to its row. Hashes are only added or replaced as a
whole, so the order in which the streams are read does not matter.
"""

from dataclasses import replace
from typing import Any

from services.projections.words.hashes import WordHashes
from services.projections.words.row import NONE, SAID_MAX, Hashes, Kind, Rows, WordRow
from shared.domain import events
from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import FORGOTTEN, Event
from shared.domain.identifiers import about
from shared.domain.record import record_of as ref_in
from shared.domain.record import stream_of
from shared.eventlog.codec import personal_fields
from shared.eventlog.entry import Entry

_RECORDS: dict[str, Kind] = {
    "problem": "problem",
    "change": "change",
    "record": "record",
}
"""Kinds of streams that are records by themselves."""
_UNREAD = frozenset({"dedup_key", "content_sha256"})
"""Personal fields that nobody reads as words."""
_PRIVATE = frozenset({"incident.reminder_set"})
"""Types of events whose words are meant for one person alone."""


def searched_fields(kind: type[Event]) -> tuple[str, ...]:
    """Return the personal fields of an event in which words are found."""
    if kind.model_fields["type"].default in _PRIVATE:
        return ()
    return tuple(name for name in personal_fields(kind) if name not in _UNREAD)


OPENS = frozenset(name for name, kind in EVENT_TYPES.items() if searched_fields(kind))
"""The types of events whose words are indexed."""


def record_of(stream: str) -> tuple[Kind, str] | None:
    """Return the record that a stream is about, None if it has no words."""
    if ref := about(stream):
        return "incident", ref
    kind = stream.partition("-")[0]
    return (_RECORDS[kind], ref_in(stream)) if kind in _RECORDS else None


def texts_of(event: Event) -> dict[str, str]:
    """Return the texts of an event by field, without those that were forgotten."""
    found: dict[str, str] = {}
    for name in searched_fields(type(event)):
        match getattr(event, name):
            case dict() as labels:
                found[name] = "\n".join(f"{k} {v}" for k, v in labels.items())
            case str() as text if text != FORGOTTEN:
                found[name] = text
    return {name: text for name, text in found.items() if text}


def project(hashes: WordHashes, rows: Rows | None, entry: Entry) -> Rows | None:
    """Return the rows of a record after `entry`; None if it has none."""
    record = record_of(entry.stream)
    if record is None:
        return rows
    kind, ref = record
    held = rows or {}
    row = held.get(kind) or _new(hashes, kind, ref)
    own = entry.stream == stream_of(ref)
    if own and entry.position <= row.position:
        return rows
    after = _after(hashes, row, entry.event)
    if own:
        is_open = _is_open(entry.event, is_open=row.is_open)
        after = replace(after, position=entry.position, is_open=is_open)
    if after == row:
        return rows
    found: dict[Kind, WordRow] = {**held, kind: after}
    if isinstance(entry.event, events.IncidentSolutionNoted):
        found["solution"] = _solution(hashes, entry.event, entry.position)
    return found


def _new(hashes: WordHashes, kind: Kind, ref: str) -> WordRow:
    number = ref.rpartition("-")[2].lstrip("0")
    return WordRow(kind, ref, is_open=True, position=0, said=hashes.of(ref, number))


def _after(hashes: WordHashes, row: WordRow, event: events.AnyEvent) -> WordRow:
    texts = texts_of(event)
    changes: dict[str, Any] = {}
    if texts and event.whose:
        changes["owners"] = row.owners | {event.whose}
    match event:
        case (
            events.IncidentOpened()
            | events.IncidentEdited()
            | events.ProblemIdentified()
            | events.ChangeRequested()
        ):
            for name in ("title", "description"):
                if text := texts.pop(name, None):
                    changes[name] = hashes.of(text)
        case events.ExternalRecordPut():
            changes["title"] = hashes.of(texts.pop("name", None))
        case _:
            pass
    if topic := _topic(hashes, event):
        changes["topic"] = topic
    said = hashes.of(*texts.values()) | _people(hashes, event)
    if not said <= row.said and len(row.said) < SAID_MAX:
        changes["said"] = row.said | said
    return replace(row, **changes) if changes else row


def _topic(hashes: WordHashes, event: events.AnyEvent) -> Hashes:
    match event:
        case events.IncidentOpened() | events.IncidentClassified():
            return hashes.of(event.service, event.category, event.client)
        case events.ProblemIdentified() | events.ChangeRequested():
            return hashes.of(event.service)
        case _:
            return NONE


def _people(hashes: WordHashes, event: events.AnyEvent) -> Hashes:
    match event:
        case events.IncidentOpened(reporter=person):
            return hashes.of_people([person])
        case events.IncidentContacted(person=person):
            return hashes.of_people([person])
        case events.IncidentAssigned(assignee=person):
            return hashes.of_people([person])
        case events.EscalationAccepted(person=person):
            return hashes.of_people([person])
        case _:
            return NONE


def _is_open(event: events.AnyEvent, *, is_open: bool) -> bool:
    match event:
        case (
            events.IncidentClosed()
            | events.IncidentCancelled()
            | events.IncidentRedirected()
            | events.IncidentMerged()
            | events.ProblemResolved()
            | events.ChangeImplemented()
            | events.ChangeCancelled()
        ):
            return False
        case events.IncidentReopened() | events.IncidentUnmerged():
            return True
        case _:
            return is_open


def _solution(
    hashes: WordHashes, event: events.IncidentSolutionNoted, position: int
) -> WordRow:
    said = NONE if event.note == FORGOTTEN else hashes.of(event.note)
    return WordRow(
        "solution",
        event.incident,
        is_open=True,
        position=position,
        owners=frozenset([event.whose] if said and event.whose else []),
        topic=hashes.of(event.service, event.incident),
        said=said,
    )
