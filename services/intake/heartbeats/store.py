"""The tables of heartbeats: their states, and when a process last listened."""

from collections.abc import Iterable
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from services.intake.heartbeats.rules import Beating
from shared.database.cursors import Cursors

DEAF_SECONDS = 30
"""Without listening for this long, beats may have been missed."""
LISTEN_SECONDS = 5
"""How often it is recorded that a process listens."""

_COLUMNS = (
    "name, policy, last_beat_at, beats, counts_from, due_at, deaf_from, deaf_until, "
    "silent_since, owes, source"
)
_ALL = f"SELECT {_COLUMNS} FROM intake.heartbeats ORDER BY name"  # noqa: S608 # only constants
_ONE = f"SELECT {_COLUMNS} FROM intake.heartbeats WHERE name = %s FOR UPDATE"  # noqa: S608 # only constants
_BEGIN_EACH = f"""
INSERT INTO intake.heartbeats ({_COLUMNS})
SELECT * FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::bigint[],
                     %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                     %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
ON CONFLICT (name) DO NOTHING
"""  # noqa: S608 # only constants
_KEEP = _BEGIN_EACH.replace("NOTHING", f"UPDATE SET ({_COLUMNS}) = ROW (excluded.*)")
_DROP = "DELETE FROM intake.heartbeats WHERE name = ANY(%s)"
_SETTLE = """
UPDATE intake.heartbeats
SET owes = NULL,
    silent_since = CASE owes WHEN 'recovery' THEN NULL ELSE silent_since END
WHERE name = %s AND owes = %s AND silent_since = %s
"""
_BEGIN = """
INSERT INTO intake.heartbeat_watch (listened_at, written_at)
VALUES (%s, clock_timestamp()) ON CONFLICT DO NOTHING
"""
_WATCH = f"""
SELECT listened_at, clock_timestamp() - written_at > interval '{DEAF_SECONDS} s',
       clock_timestamp() - written_at > interval '{LISTEN_SECONDS} s'
FROM intake.heartbeat_watch FOR UPDATE
"""  # noqa: S608 # only constants
_LISTEN = """
UPDATE intake.heartbeat_watch SET listened_at = %s, written_at = clock_timestamp()
"""


def heard_last(cursor: Cursors, now: datetime) -> tuple[datetime, bool, bool]:
    """Return when a process last listened, whether that is too long ago, or stale.

    The row stays locked, so that one process evaluates at a time. The age is measured
    with PostgreSQL's clock, since ours may be a test clock.
    """
    cursor.execute(_BEGIN, (now,))
    row = cursor.execute(_WATCH).fetchone()
    assert row is not None  # noqa: S101 # inserted above
    listened_at, deaf, stale = row
    return listened_at, deaf, stale


def listen(cursor: Cursors, now: datetime) -> None:
    """Record that this process listens."""
    cursor.execute(_LISTEN, (now,))


def all_of(cursor: Cursors, *, locked: bool = False) -> list[Beating]:
    """Return all stored heartbeats, ordered by name."""
    query = f"{_ALL} FOR UPDATE" if locked else _ALL
    return [_beating(row) for row in cursor.execute(query).fetchall()]


def one_of(cursor: Cursors, name: str) -> Beating | None:
    """Return a heartbeat with its row locked, or None if it does not exist."""
    row = cursor.execute(_ONE, (name,)).fetchone()
    return _beating(row) if row else None


def keep(cursor: Cursors, beatings: Iterable[Beating]) -> None:
    """Write heartbeats whose rows are locked, or that have just beaten."""
    _write(cursor, _KEEP, beatings)


def begin(cursor: Cursors, beatings: Iterable[Beating]) -> None:
    """Insert heartbeats without a row; an existing row is kept."""
    _write(cursor, _BEGIN_EACH, beatings)


def _write(cursor: Cursors, query: str, beatings: Iterable[Beating]) -> None:
    rows = [astuple(each) for each in sorted(beatings, key=lambda each: each.name)]
    if rows:
        cursor.execute(query, [list(column) for column in zip(*rows, strict=True)])


def drop(cursor: Cursors, names: Iterable[str]) -> None:
    """Delete heartbeats that are no longer in the policy."""
    cursor.execute(_DROP, (sorted(names),))


def settle(cursor: Cursors, held: Beating) -> None:
    """Record that the signal of `held` was sent, unless its state has changed."""
    cursor.execute(_SETTLE, (held.name, held.owes, held.silent_since))


def _beating(row: tuple[Any, ...]) -> Beating:
    values: list[Any] = [
        v.astimezone(UTC) if isinstance(v, datetime) else v for v in row
    ]
    return Beating(*values)
