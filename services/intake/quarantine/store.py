"""The quarantine: its rows, its journal, and the retry of its elements.

A retry reads an element with today's adapter, as of the time it was received. `settle`
records the outcome in the same transaction that takes the element, so it is released
exactly once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor

from services.intake.quarantine.postponed import PostponedSignal
from services.intake.signals.batch import SignalBatch
from services.intake.signals.body import elements, read_json, read_kept
from services.intake.signals.delivery import Delivery, RetryOf
from services.intake.signals.formats.clouds.cloudevents import CONTENT_TYPE
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.preview import error_of
from services.intake.signals.formats.selection import adapter_for, zone_of
from services.intake.signals.outcomes import ElementResult
from services.intake.signals.raw_store import opened, opened_headers
from services.intake.signals.reception import NOBODY, REFUSED_SENDER, UNREADABLE
from services.intake.signals.schemas import Heard, Ignored, Rejected, Signal
from shared.domain.commands.quarantine import Filter, JournalEntry, Quarantined
from shared.domain.policy.sources import Source
from shared.http.problem_details import HttpError
from shared.vault.vault import Vault

NATIVE = "native"


@dataclass(frozen=True, slots=True)
class QuarantinedElement:
    """A quarantined element; `elements` is how many its body was read as then."""

    id: int
    source: str
    adapter: str
    received_at: datetime
    element: int
    elements: int | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers that its format reads."""
    event_id: str | None = None
    """The idempotency key of the request that brought it."""
    in_turn: bool = False
    """No signal of its key was taken since: later ones wait behind it."""


def reread(kept: QuarantinedElement, said: Source | None, by: str) -> Delivery | str:
    """Return the delivery that replaces the element, or why it still fails.

    A body that was quarantined as a whole may now hold several elements: all of them
    are taken.
    """
    heard = read_again(kept, said)
    if isinstance(heard, str):
        return heard
    is_whole = kept.elements == 1
    if not is_whole and kept.elements not in {None, len(heard)}:
        return (
            f"its body was read as {kept.elements} elements and is now as "
            f"{len(heard)}: which of them it is cannot be told"
        )
    if kept.element >= len(heard):
        return "its body has no such element any more"
    if is_whole:
        first, taken = 0, heard
    else:
        first, taken = kept.element, heard[kept.element : kept.element + 1]
    if len(taken) == 1 and isinstance(taken[0], Rejected):
        return error_of(taken[0])
    return Delivery(
        kept.source,
        kept.adapter,
        kept.body,
        first,
        tuple(_named(each, kept, n) for n, each in enumerate(taken, start=first)),
        kept.received_at,
        elements=len(heard),
        settles=RetryOf(kept.id, by),
        headers=kept.headers,
        event_id=kept.event_id,
    )


def read_again(kept: QuarantinedElement, said: Source | None) -> Sequence[Heard] | str:
    """Return the elements the adapter finds in the body, or why it fails."""
    if kept.adapter == UNREADABLE and kept.source == NOBODY:
        return "it came from no source: send it again with the key of one"
    # An unreadable NATS message is assumed to be in our native format.
    name = kept.adapter
    if name in (UNREADABLE, REFUSED_SENDER):
        name = NATIVE
    adapter = adapter_for(name, said)
    if adapter is None:
        return f"the policy does not say how to read `{kept.source}`: give it a mapping"
    try:
        document = _document(name, kept)
    except HttpError as problem:
        return problem.details.detail
    post = InboundDocument(
        kept.source, kept.received_at, kept.event_id, zone_of(said), kept.headers
    )
    return adapter(document, post)


def _document(adapter: str, kept: QuarantinedElement) -> object:
    if adapter != NATIVE:
        return read_kept(kept.body, kept.headers.get(CONTENT_TYPE))
    document = read_json(kept.body)
    elements(document)
    return document


def _named(heard: Heard, kept: QuarantinedElement, index: int) -> Heard:
    """Return the signal with an event id that is the same on every retry.

    If it has no time of its own, the time of reception counts, so that anything
    received since is newer. If nothing was received since, it needs no time.
    """
    if not isinstance(heard, Signal):
        return heard
    came = None if kept.in_turn else kept.received_at
    arrival = f"{kept.received_at.timestamp():.6f}"
    return heard.model_copy(
        update={
            "event_id": heard.event_id or f"quarantine:{kept.id}/{index}/{arrival}",
            "occurred_at": heard.occurred_at or came,
        }
    )


_LOCK = """
SELECT quarantine_id FROM intake.quarantine
WHERE quarantine_id = ANY(%s) AND state = 'waiting' ORDER BY digest, element FOR UPDATE
"""
_RELEASE = """
UPDATE intake.quarantine SET state = 'released', tries = tries + 1
WHERE quarantine_id = %s
"""
_STAYS = "UPDATE intake.quarantine SET tries = tries + 1 WHERE quarantine_id = %s"
_WAITS = """
UPDATE intake.quarantine
SET tries = tries + %s, reason = %s, signal_key = %s, awaits = %s
WHERE quarantine_id = %s
"""
BY_ITSELF = "system:intake"
"""The actor of automatic retries; these are not written to the journal."""
_NOTE = """
INSERT INTO intake.quarantine_journal
       (quarantine_id, at, actor, what, status, incident, version, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def still_waiting(
    cursor: Cursor[tuple[Any, ...]], deliveries: Sequence[Delivery]
) -> Sequence[Delivery]:
    """Return the deliveries without elements that were settled in the meantime.

    If two deliveries in one batch retry the same element, the first one settles it.
    """
    asked = [each.settles.quarantine_id for each in deliveries if each.settles]
    if not asked:
        return deliveries
    waiting = {row[0] for row in cursor.execute(_LOCK, (asked,)).fetchall()}
    left: list[Delivery] = []
    for each in deliveries:
        if each.settles and each.settles.quarantine_id not in waiting:
            left.append(_settled(each))
            continue
        left.append(each)
        if each.settles:
            waiting.discard(each.settles.quarantine_id)
    return left


def settle(
    cursor: Cursor[tuple[Any, ...]], reckoning: SignalBatch, now: datetime
) -> None:
    """Record the outcome of each retried element."""
    for n, delivery in enumerate(reckoning.deliveries):
        if delivery.settles is None:
            continue
        lines = [line for line in reckoning.lines if line.delivery == n]
        _note(cursor, delivery, lines, now)


def _note(
    cursor: Cursor[tuple[Any, ...]],
    delivery: Delivery,
    lines: Sequence[ElementResult],
    now: datetime,
) -> None:
    settles = delivery.settles
    if settles is None:
        return
    postponed = next((line.postponed for line in lines if line.postponed), None)
    if postponed is not None:
        _wait_on(cursor, settles, postponed, now)
        return
    # If the body now holds several elements and the first must wait, the row stays.
    stays = any(
        line.result.index == 0 and line.result.status == "quarantined" for line in lines
    )
    cursor.execute(_STAYS if stays else _RELEASE, (settles.quarantine_id,))
    what = "tried" if stays else "released"
    cursor.executemany(
        _NOTE,
        [
            (
                settles.quarantine_id,
                now,
                settles.by,
                what,
                line.result.status,
                line.result.incident,
                line.version,
                line.result.error,
            )
            for line in lines
        ],
    )


def _wait_on(
    cursor: Cursor[tuple[Any, ...]],
    settles: RetryOf,
    postponed: PostponedSignal,
    now: datetime,
) -> None:
    tried = settles.by != BY_ITSELF
    key, awaits, reason = postponed.signal_key, postponed.awaits, postponed.reason
    number = settles.quarantine_id
    cursor.execute(_WAITS, (int(tried), reason, key, awaits, number))
    if tried:
        status = "quarantined"
        values = (number, now, settles.by, "tried", status, None, None, reason)
        cursor.execute(_NOTE, values)


def _settled(delivery: Delivery) -> Delivery:
    why = "somebody else has settled it meanwhile"
    return replace(
        delivery,
        heard=tuple(
            Ignored(n, why) for n, _ in enumerate(delivery.heard, delivery.first)
        ),
        settles=None,
    )


_COLUMNS = (
    "quarantine_id, source, adapter, received_at, element, reason, state, tries, awaits"
)
_LIST = f"""
SELECT {_COLUMNS} FROM intake.quarantine
WHERE state = %(state)s AND quarantine_id > %(after)s
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(adapter)s::text IS NULL OR adapter = %(adapter)s)
  AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(reason)) > 0)
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
ORDER BY quarantine_id LIMIT %(limit)s
"""  # noqa: S608 # only constants
_ONE = f"SELECT {_COLUMNS} FROM intake.quarantine WHERE quarantine_id = %s"  # noqa: S608 # only constants
_KEPT = """
SELECT q.quarantine_id, q.source, q.adapter, q.received_at, q.element, q.elements,
       q.digest, b.sealed, b.headers, q.event_id, q.in_turn
FROM intake.quarantine q LEFT JOIN intake.quarantined_bodies b USING (digest)
WHERE q.quarantine_id = %s
"""
_JOURNAL = """
SELECT j.at, j.actor, j.what, j.status, j.incident,
       (SELECT notification_id FROM log.events
        WHERE originator_id = 'incident-' || j.incident
          AND originator_version = j.version), j.reason
FROM intake.quarantine_journal j WHERE j.quarantine_id = %s ORDER BY entry_id DESC
LIMIT %s
"""
JOURNAL_MAX = 200
_ROWS_STAYS = """
UPDATE intake.quarantine SET tries = tries + 1, reason = %s
WHERE quarantine_id = %s AND state = 'waiting'
"""
_DISCARD = """
UPDATE intake.quarantine SET state = 'discarded'
WHERE quarantine_id = %s AND state = 'waiting'
"""
_ROWS_NOTE = """
INSERT INTO intake.quarantine_journal (quarantine_id, at, actor, what, reason)
VALUES (%s, %s, %s, %s, %s)
"""


class Note(NamedTuple):
    """What somebody did about an element, when and why."""

    at: datetime
    by: str
    reason: str


def listed(
    cursor: Cursor[tuple[Any, ...]], asked: Filter, state: str, after: int, limit: int
) -> list[Quarantined]:
    """Return at most `limit` matching rows, in the order of reception."""
    given = asked.model_dump(include=set(Filter.model_fields))
    given |= {"state": state, "after": after, "limit": limit}
    return [_row(row) for row in cursor.execute(_LIST, given).fetchall()]


def one(cursor: Cursor[tuple[Any, ...]], number: int) -> Quarantined | None:
    """Return one row, or None if the id is unknown."""
    row = cursor.execute(_ONE, (number,)).fetchone()
    return _row(row) if row else None


def kept(
    cursor: Cursor[tuple[Any, ...]], vault: Vault, number: int
) -> QuarantinedElement | None:
    """Return an element with its body, or None if its source was forgotten."""
    row = cursor.execute(_KEPT, (number,)).fetchone()
    if row is None or row[7] is None:
        return None
    body = opened(vault, bytes(row[6]), row[7])
    if body is None:
        return None
    headers = opened_headers(vault, bytes(row[6]), row[8])
    number, source, adapter, received_at, element, elements = row[:6]
    return QuarantinedElement(
        number, source, adapter, received_at, element, elements, body, headers, *row[9:]
    )


def journal(cursor: Cursor[tuple[Any, ...]], number: int) -> list[JournalEntry]:
    """Return the journal of an element, newest entry first."""
    rows: Sequence[Any] = cursor.execute(_JOURNAL, (number, JOURNAL_MAX)).fetchall()
    names = ("at", "by", "what", "status", "incident", "position", "reason")
    return [JournalEntry(**dict(zip(names, row, strict=True))) for row in rows]


def stays(cursor: Cursor[tuple[Any, ...]], number: int, note: Note) -> bool:
    """Record that an element still fails; False if it is no longer waiting."""
    if not cursor.execute(_ROWS_STAYS, (note.reason, number)).rowcount:
        return False
    cursor.execute(_ROWS_NOTE, (number, note.at, note.by, "tried", note.reason))
    return True


def discard(cursor: Cursor[tuple[Any, ...]], number: int, note: Note) -> bool:
    """Discard an element; False if it is no longer waiting."""
    if not cursor.execute(_DISCARD, (number,)).rowcount:
        return False
    cursor.execute(_ROWS_NOTE, (number, note.at, note.by, "discarded", note.reason))
    return True


def _row(row: Sequence[Any]) -> Quarantined:
    names = Quarantined.model_fields
    return Quarantined(**dict(zip(names, row, strict=True)))
