"""Signals that wait in the quarantine, in order, and what a retry of one comes to.

The outcome of a retry is recorded in the same transaction that takes the element, so it
is released exactly once. Signals of the same dedup key stay in order: while one of them
waits until a record that it needs can be read, later ones wait behind it, so that a
recovery cannot overtake the trigger that came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.signals.batch import SignalBatch
from services.intake.signals.outcomes import ElementResult
from services.intake.signals.schemas import Delivery, Ignored, PostponedSignal, RetryOf
from shared.database.cursors import Cursors

READ_MAX = 1_000
"""How many waiting signals of one key are read before a batch, at most."""
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


def still_waiting(
    cursor: Cursors, deliveries: Sequence[Delivery]
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


def settle(cursor: Cursors, batch: SignalBatch, now: datetime) -> None:
    """Record the outcome of each retried element."""
    for n, delivery in enumerate(batch.deliveries):
        if delivery.settles is None:
            continue
        lines = [line for line in batch.lines if line.delivery == n]
        _note(cursor, delivery, lines, now)


def _note(
    cursor: Cursors,
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
    cursor: Cursors,
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


def waiting_in_order(
    cursor: Cursors, keys: Sequence[str]
) -> Mapping[str, Sequence[int]]:
    """Return the ids of the waiting signals by key; the keys must be locked."""
    if not keys:
        return {}
    return dict(cursor.execute(_WAITING, (READ_MAX, list(keys))).fetchall())


def keep_postponed(
    cursor: Cursors,
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
