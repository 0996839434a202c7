"""Lets an element out of quarantine, in the transaction that takes it: once, or not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.delivery import Delivery, Settles
from services.intake.lines import Line
from services.intake.quarantine.postponed import Postponed
from services.intake.reckoning import Reckoning
from services.intake.signals import Ignored

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
"""Who tries again what waits for a record: nobody has to read of each such try."""
_NOTE = """
INSERT INTO intake.quarantine_journal
       (quarantine_id, at, actor, what, status, incident, version, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def still_waiting(
    cursor: Cursor[tuple[Any, ...]], deliveries: Sequence[Delivery]
) -> Sequence[Delivery]:
    """Return the deliveries without what somebody else has settled meanwhile.

    That may be in this very batch: of two who try the same, the first does.
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
    cursor: Cursor[tuple[Any, ...]], reckoning: Reckoning, now: datetime
) -> None:
    """Note the outcome of each that was tried again."""
    for n, delivery in enumerate(reckoning.deliveries):
        if delivery.settles is None:
            continue
        lines = [line for line in reckoning.lines if line.delivery == n]
        _note(cursor, delivery, lines, now)


def _note(
    cursor: Cursor[tuple[Any, ...]],
    delivery: Delivery,
    lines: Sequence[Line],
    now: datetime,
) -> None:
    settles = delivery.settles
    if settles is None:
        return
    postponed = next((line.postponed for line in lines if line.postponed), None)
    if postponed is not None:
        _wait_on(cursor, settles, postponed, now)
        return
    # Of a body that now is several elements the first may have to wait on: as itself.
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
    settles: Settles,
    postponed: Postponed,
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
