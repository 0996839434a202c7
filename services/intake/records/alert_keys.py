"""Locks keys of alerts, and moves them from an incident to another."""

from collections.abc import Collection, Iterable, Sequence

from shared.database.cursors import Cursors
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentSplit,
    IncidentUnmerged,
)
from shared.domain.record import RecordEvent

KEY_LOCKS = 7366
"""The class of the advisory locks on keys, groups and event ids."""

_LOCK = "SELECT pg_advisory_xact_lock(%b, n) FROM unnest(%b::int[]) AS n"
_MOVE = """
UPDATE intake.signal_keys SET incident = %b, life = life - 'apart'
WHERE signal_key = ANY(%b)
"""
_MOVE_APART = """
UPDATE intake.signal_keys
SET incident = %b, life = coalesce(life, '{}') || '{"apart": true}'
WHERE signal_key = ANY(%b)
"""


def move_keys(cursor: Cursors, events: Sequence[RecordEvent]) -> bool:
    """Move keys after merging and splitting; return whether any moved."""
    moves = [move for event in events if (move := _move(event)) is not None]
    lock(cursor, [key for keys, _, _ in moves for key in keys])
    for keys, incident, statement in moves:
        cursor.execute(statement, (incident, list(keys)))
    return bool(moves)


def _move(event: RecordEvent) -> tuple[Iterable[str], str, str] | None:
    match event:
        case IncidentAbsorbed(signals=signals, incident=incident) if signals:
            return signals, incident, _MOVE
        case IncidentUnmerged(signals=signals, incident=incident) if signals:
            return signals, incident, _MOVE
        case IncidentSplit(signal_keys=keys, into=into) if keys:
            return keys, into, _MOVE_APART
        case _:
            return None


def lock(cursor: Cursors, keys: Iterable[str]) -> None:
    """Lock keys until the transaction ends."""
    lock_numbers(cursor, set(map(number_of, keys)))


def lock_numbers(cursor: Cursors, numbers: Collection[int]) -> None:
    """Lock the numbers in one pass, in order, to avoid deadlocks."""
    if numbers:
        cursor.execute(_LOCK, (KEY_LOCKS, sorted(numbers)))


def number_of(key: str) -> int:
    """Return 32 bits of a key, signed; a collision only causes needless waiting."""
    return int.from_bytes(bytes.fromhex(key[:8]), signed=True)
