"""The key rows of troubles: locked first, in order, before any append.

Whoever holds a key's row decides whether its incident is opened: there is one at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.intake.correlation import KeyRow
from shared.events import IncidentEvent
from shared.events.incident_ties import (
    IncidentAbsorbed,
    IncidentSplit,
    IncidentUnmerged,
)
from shared.references import incident_ref

_PROVIDE = """
INSERT INTO intake.signal_keys (signal_key, source)
SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT signal_key, source, incident, state, severity, last_occurred_at,
       last_recovered_at, repeats, last_summary_at, recovery_heard_at
FROM intake.signal_keys WHERE signal_key = ANY(%s) ORDER BY signal_key FOR UPDATE
"""
_WRITE = """
UPDATE intake.signal_keys k
SET incident = f.incident, state = f.state, severity = f.severity,
    last_occurred_at = f.last_occurred_at, last_recovered_at = f.last_recovered_at,
    repeats = f.repeats, last_summary_at = f.last_summary_at,
    recovery_heard_at = f.recovery_heard_at
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::timestamptz[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
  AS f(signal_key, incident, state, severity, last_occurred_at, last_recovered_at,
       repeats, last_summary_at, recovery_heard_at)
WHERE k.signal_key = f.signal_key
"""
_MOVE = """
WITH held AS (SELECT signal_key FROM intake.signal_keys WHERE signal_key = ANY(%s)
              ORDER BY signal_key FOR UPDATE)
UPDATE intake.signal_keys k SET incident = %s FROM held
WHERE k.signal_key = held.signal_key
"""
_NUMBERS = "SELECT nextval('intake.incident_numbers') FROM generate_series(1, %s)"


def lock_keys(
    cursor: Cursor[tuple[Any, ...]], sources: Mapping[str, str]
) -> dict[str, KeyRow]:
    """Return the rows of these keys (key → source), made where missing, and locked."""
    keys = sorted(sources)
    cursor.execute(_PROVIDE, (keys, [sources[key] for key in keys]))
    rows = cursor.execute(_LOCK, (keys,)).fetchall()
    return {row[0]: KeyRow(*row) for row in rows}


def write_keys(cursor: Cursor[tuple[Any, ...]], rows: Iterable[KeyRow]) -> None:
    """Write rows that changed; their locks are held."""
    changed = list(rows)
    if not changed:
        return
    cursor.execute(
        _WRITE,
        (
            [row.signal_key for row in changed],
            [row.incident for row in changed],
            [row.state for row in changed],
            [row.severity for row in changed],
            [row.last_occurred_at for row in changed],
            [row.last_recovered_at for row in changed],
            [row.repeats for row in changed],
            [row.last_summary_at for row in changed],
            [row.recovery_heard_at for row in changed],
        ),
    )


def move_keys(cursor: Cursor[tuple[Any, ...]], events: Sequence[IncidentEvent]) -> bool:
    """Let the keys follow what merging and splitting did; tell whether any moved."""
    moves = [move for event in events if (move := _move(event)) is not None]
    for keys, incident in moves:
        cursor.execute(_MOVE, (sorted(keys), incident))
    return bool(moves)


def new_refs(cursor: Cursor[tuple[Any, ...]], count: int) -> list[str]:
    """Return so many references nobody had before; the unused ones are gaps."""
    if not count:
        return []
    rows = cursor.execute(_NUMBERS, (count,)).fetchall()
    return [incident_ref(number) for (number,) in rows]


def _move(event: IncidentEvent) -> tuple[Iterable[str], str] | None:
    match event:
        case IncidentAbsorbed(signals=signals, incident=incident) if signals:
            return signals, incident
        case IncidentUnmerged(signals=signals, incident=incident) if signals:
            return signals, incident
        case IncidentSplit(signal_keys=keys, into=into) if keys:
            return keys, into
        case _:
            return None
