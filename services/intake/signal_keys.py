"""The key rows of troubles: keys locked first, in order, before any append.

Whoever holds a key's lock decides whether its incident is opened: there is one at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.intake.correlation import KeyRow
from services.intake.records import RecordEvent
from shared.events.incident_ties import (
    IncidentAbsorbed,
    IncidentSplit,
    IncidentUnmerged,
)

KEY_LOCKS = 7366
"""The class of the advisory locks on keys; the append lock is in another space."""

_LOCK = "SELECT pg_advisory_xact_lock(%b, n) FROM unnest(%b::int[]) AS n"
_READ = """
SELECT signal_key, source, incident, state, severity, last_occurred_at,
       last_recovered_at, repeats, last_summary_at, recovery_heard_at
FROM intake.signal_keys WHERE signal_key = ANY(%b)
"""
_WRITE = """
INSERT INTO intake.signal_keys (signal_key, source, incident, state, severity,
            last_occurred_at, last_recovered_at, repeats, last_summary_at,
            recovery_heard_at)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::timestamptz[], %b::timestamptz[], %b::bigint[],
                     %b::timestamptz[], %b::timestamptz[])
ON CONFLICT (signal_key) DO UPDATE
SET incident = excluded.incident, state = excluded.state,
    severity = excluded.severity, last_occurred_at = excluded.last_occurred_at,
    last_recovered_at = excluded.last_recovered_at, repeats = excluded.repeats,
    last_summary_at = excluded.last_summary_at,
    recovery_heard_at = excluded.recovery_heard_at
"""
_MOVE = "UPDATE intake.signal_keys SET incident = %b WHERE signal_key = ANY(%b)"


def lock_keys(
    cursor: Cursor[tuple[Any, ...]], sources: Mapping[str, str]
) -> dict[str, KeyRow]:
    """Lock these keys (key → source) until the transaction ends; return their rows.

    A key never heard of has no row yet: what is locked is its number, in order. Two
    statements: the rows are to be seen as they are once the locks are granted.
    """
    _lock(cursor, sources)
    rows = cursor.execute(_READ, (list(sources),), binary=True).fetchall()
    known = {row[0]: KeyRow(*row) for row in rows}
    return {key: known.get(key) or KeyRow(key, sources[key]) for key in sources}


def write_keys(cursor: Cursor[tuple[Any, ...]], rows: Sequence[KeyRow]) -> None:
    """Write rows that changed; their keys are locked."""
    if rows:
        cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])


def move_keys(cursor: Cursor[tuple[Any, ...]], events: Sequence[RecordEvent]) -> bool:
    """Let the keys follow what merging and splitting did; tell whether any moved."""
    moves = [move for event in events if (move := _move(event)) is not None]
    _lock(cursor, [key for keys, _ in moves for key in keys])
    for keys, incident in moves:
        cursor.execute(_MOVE, (incident, list(keys)))
    return bool(moves)


def _move(event: RecordEvent) -> tuple[Iterable[str], str] | None:
    match event:
        case IncidentAbsorbed(signals=signals, incident=incident) if signals:
            return signals, incident
        case IncidentUnmerged(signals=signals, incident=incident) if signals:
            return signals, incident
        case IncidentSplit(signal_keys=keys, into=into) if keys:
            return keys, into
        case _:
            return None


def _lock(cursor: Cursor[tuple[Any, ...]], keys: Iterable[str]) -> None:
    numbers = sorted({_number(key) for key in keys})
    if numbers:
        cursor.execute(_LOCK, (KEY_LOCKS, numbers))


def _number(key: str) -> int:
    """Return 32 bits of a key, signed; two keys of one number wait needlessly."""
    return int.from_bytes(bytes.fromhex(key[:8]), signed=True)
