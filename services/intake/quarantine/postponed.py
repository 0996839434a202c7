"""Signals that wait in quarantine until a record they need can be read.

Signals of the same dedup key stay in order: while one of them waits, later ones wait
behind it, so that a recovery cannot overtake the trigger that came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor

from services.intake.signals.delivery import Delivery

READ_MAX = 1_000
"""How many waiting signals of one key are read before a batch, at most."""
KEYS_MAX = 100
"""Keys that are examined in one round of retries."""

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
class PostponedSignal:
    """A signal that waits for the record `awaits`, or behind an earlier signal."""

    delivery: Delivery
    element: int
    signal_key: str
    awaits: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class QueueHead:
    """The first signal in the queue of a key, and what it waits for."""

    signal_key: str
    quarantine_id: int
    awaits: str | None


def waiting_in_order(
    cursor: Cursor[tuple[Any, ...]], keys: Sequence[str]
) -> Mapping[str, Sequence[int]]:
    """Return the ids of the waiting signals by key; the keys must be locked."""
    if not keys:
        return {}
    return dict(cursor.execute(_WAITING, (READ_MAX, list(keys))).fetchall())


def keep_postponed(
    cursor: Cursor[tuple[Any, ...]],
    digests: Mapping[int, bytes],
    postponed: Sequence[PostponedSignal],
) -> None:
    """Store signals that wait, in the given order; their keys must be locked.

    `digests` maps the `id` of each delivery to the digest of its stored body.
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
) -> list[QueueHead]:
    """Return the first waiting signal of each key after `after`, ordered by key."""
    rows = cursor.execute(_FIRST, (after, limit)).fetchall()
    return [QueueHead(*row) for row in rows]


def next_of(cursor: Cursor[tuple[Any, ...]], key: str, limit: int) -> list[int]:
    """Return the ids of the waiting signals of a key, in order."""
    return [number for (number,) in cursor.execute(_NEXT, (key, limit)).fetchall()]


BEHIND = "it waits behind an earlier signal of its key"
_FRESH = 0
"""Placeholder in a queue for a signal that has no quarantine id yet."""


class EarlierWaits(Exception):
    """An earlier signal of the same key still waits."""


class Turns:
    """The queue of each key while one batch is processed.

    A delivery that retries a quarantined element may pass once it is first in its
    queue. `number` is the index of the delivery in its batch.
    """

    def __init__(self, waiting: Mapping[str, Sequence[int]]) -> None:
        self._queues = {key: list(ids) for key, ids in waiting.items()}
        self._stuck: set[tuple[int, str]] = set()

    def require(self, number: int, key: str, settles: int | None) -> None:
        """Raise `EarlierWaits` if an earlier signal of the key still waits."""
        queue = self._queues.get(key)
        if queue and (queue[0] != settles or (number, key) in self._stuck):
            raise EarlierWaits

    def postpone(self, number: int, key: str, settles: int | None) -> None:
        """Add a signal of this delivery to the queue, or keep it there."""
        queue = self._queues.setdefault(key, [])
        self._stuck.add((number, key))
        if settles is None:
            queue.append(_FRESH)
        elif settles not in queue:
            queue.append(settles)

    def release(self, settles: int) -> None:
        """Remove a quarantined element from the queues, so that the next may pass."""
        for queue in self._queues.values():
            if settles in queue:
                queue.remove(settles)
