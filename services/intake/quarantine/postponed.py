"""Signals that wait for a record: kept in quarantine, in the order they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor

from services.intake.delivery import Delivery

READ_MAX = 1_000
"""Waiting signals of one key that are read before a batch: more than it can settle."""
KEYS_MAX = 100
"""Keys that are looked at in one round of retries."""

_WAITING = """
SELECT asked.key,
       ARRAY(SELECT quarantine_id FROM intake.quarantine q
             WHERE q.signal_key = asked.key AND q.state = 'waiting'
             ORDER BY quarantine_id LIMIT %b)
FROM unnest(%b::text[]) AS asked (key)
WHERE EXISTS (SELECT FROM intake.quarantine q
              WHERE q.signal_key = asked.key AND q.state = 'waiting')
"""
_KEEP = """
INSERT INTO intake.quarantine
       (source, adapter, received_at, digest, elements, event_id, element, reason,
        signal_key, awaits, in_turn)
SELECT source, adapter, received_at, digest, elements, event_id, element, reason,
       signal_key, awaits, true
FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::bytea[], %b::int[],
            %b::text[], %b::int[], %b::text[], %b::text[], %b::text[])
     WITH ORDINALITY AS fresh (source, adapter, received_at, digest, elements,
            event_id, element, reason, signal_key, awaits, number)
ORDER BY number
"""
_FIRST = """
SELECT DISTINCT ON (signal_key) signal_key, quarantine_id, awaits
FROM intake.quarantine
WHERE state = 'waiting' AND signal_key > %s
ORDER BY signal_key, quarantine_id LIMIT %s
"""
_NEXT = """
SELECT quarantine_id FROM intake.quarantine
WHERE state = 'waiting' AND signal_key = %s ORDER BY quarantine_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A signal that waits: for the record `awaits`, or behind an earlier one."""

    delivery: Delivery
    element: int
    signal_key: str
    awaits: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class First:
    """The signal that is first in the queue of its key, and what it waits for."""

    signal_key: str
    quarantine_id: int
    awaits: str | None


def waiting_in_order(
    cursor: Cursor[tuple[Any, ...]], keys: Sequence[str]
) -> Mapping[str, Sequence[int]]:
    """Return the numbers of the signals that wait, by key; the keys are locked."""
    if not keys:
        return {}
    return dict(cursor.execute(_WAITING, (READ_MAX, list(keys))).fetchall())


def keep_postponed(
    cursor: Cursor[tuple[Any, ...]],
    digests: Mapping[int, bytes],
    postponed: Sequence[Postponed],
) -> None:
    """Keep signals that wait, in the order given; their keys are locked.

    `digests` are those of the bodies, which are kept, by `id` of delivery.
    """
    if not postponed:
        return
    rows = [
        (
            each.delivery.source,
            each.delivery.adapter,
            each.delivery.received_at,
            digests[id(each.delivery)],
            each.delivery.elements,
            each.delivery.event_id,
            each.element,
            each.reason,
            each.signal_key,
            each.awaits,
        )
        for each in postponed
    ]
    cursor.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def first_in_order(
    cursor: Cursor[tuple[Any, ...]], after: str, limit: int = KEYS_MAX
) -> list[First]:
    """Return the first waiting signal of each key after a key, in order of keys."""
    rows = cursor.execute(_FIRST, (after, limit)).fetchall()
    return [First(*row) for row in rows]


def next_of(cursor: Cursor[tuple[Any, ...]], key: str, limit: int) -> list[int]:
    """Return the numbers of the signals of a key that wait, in order."""
    return [number for (number,) in cursor.execute(_NEXT, (key, limit)).fetchall()]
