"""The tables of heartbeats: how each stands, and when any process of ours listened."""

from collections.abc import Iterable
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from psycopg import Cursor

from services.intake.heartbeats.rules import Beating

Cursors = Cursor[tuple[Any, ...]]

DEAF_SECONDS = 30
"""Nobody listened for so long: beats were sent that nobody could hear."""
LISTEN_SECONDS = 5
"""How often it is written down that we listen."""

_COLUMNS = (
    "name, policy, last_beat_at, beats, counts_from, due_at, deaf_from, deaf_until, "
    "silent_since, owes, source"
)
_ALL = f"SELECT {_COLUMNS} FROM intake.heartbeats ORDER BY name"  # noqa: S608 # our own names
_ONE = f"SELECT {_COLUMNS} FROM intake.heartbeats WHERE name = %s FOR UPDATE"  # noqa: S608 # our own names
_BEGIN_EACH = f"""
INSERT INTO intake.heartbeats ({_COLUMNS})
SELECT * FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::bigint[],
                     %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                     %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
ON CONFLICT (name) DO NOTHING
"""  # noqa: S608 # our own names
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
"""  # noqa: S608 # our own names
_LISTEN = """
UPDATE intake.heartbeat_watch SET listened_at = %s, written_at = clock_timestamp()
"""


def heard_last(cursor: Cursors, now: datetime) -> tuple[datetime, bool, bool]:
    """Return when somebody listened, whether that is too long ago, and worth noting.

    The row stays locked: of several processes one judges at a time. Deafness is
    measured by PostgreSQL's clock, for ours may be moved by a lever.
    """
    cursor.execute(_BEGIN, (now,))
    row = cursor.execute(_WATCH).fetchone()
    assert row is not None  # noqa: S101 # it was made above
    listened_at, deaf, stale = row
    return listened_at, deaf, stale


def listen(cursor: Cursors, now: datetime) -> None:
    """Note that we listen."""
    cursor.execute(_LISTEN, (now,))


def all_of(cursor: Cursors, *, locked: bool = False) -> list[Beating]:
    """Return every heartbeat that is kept, by name."""
    query = f"{_ALL} FOR UPDATE" if locked else _ALL
    return [_beating(row) for row in cursor.execute(query).fetchall()]


def one_of(cursor: Cursors, name: str) -> Beating | None:
    """Return a heartbeat, its row locked, None where there is none of this name."""
    row = cursor.execute(_ONE, (name,)).fetchone()
    return _beating(row) if row else None


def keep(cursor: Cursors, beatings: Iterable[Beating]) -> None:
    """Write heartbeats whose rows are locked, or that just beat."""
    _write(cursor, _KEEP, beatings)


def begin(cursor: Cursors, beatings: Iterable[Beating]) -> None:
    """Write heartbeats that had no row; where one has beaten since, that stays."""
    _write(cursor, _BEGIN_EACH, beatings)


def _write(cursor: Cursors, query: str, beatings: Iterable[Beating]) -> None:
    rows = [astuple(each) for each in sorted(beatings, key=lambda each: each.name)]
    if rows:
        cursor.execute(query, [list(column) for column in zip(*rows, strict=True)])


def drop(cursor: Cursors, names: Iterable[str]) -> None:
    """Forget heartbeats that the policy has no more."""
    cursor.execute(_DROP, (sorted(names),))


def settle(cursor: Cursors, held: Beating) -> None:
    """Note that the signal `held` owes was sent, unless more happened since."""
    cursor.execute(_SETTLE, (held.name, held.owes, held.silent_since))


def _beating(row: tuple[Any, ...]) -> Beating:
    values: list[Any] = [
        v.astimezone(UTC) if isinstance(v, datetime) else v for v in row
    ]
    return Beating(*values)
