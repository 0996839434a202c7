"""The rows of alerts and groups: locked first, in one order, before any append.

The holder of the lock on a key, and on its group, decides whether to open an incident
for it, so there is at most one. The held signal in a row may contain personal data: it
is encrypted with the key of its source.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from services.intake.records.alert_keys import lock_numbers, number_of
from services.intake.signals.rules.context import (
    NO_LIFE,
    GroupRow,
    HeldSignal,
    KeyRow,
    Life,
)
from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.observability.telemetry import wordless
from shared.vault.vault import Vault

PLAIN = 10
"""The number of columns with one field each: those before `life`."""

_life = TypeAdapter(Life)
_held = TypeAdapter(HeldSignal)
_WAITS = "waits"


def columns_of(row: KeyRow, vault: Vault) -> Sequence[Any]:
    """Return the columns of a row; unused optional columns are NULL."""
    if row.held is None and row.life is NO_LIFE:
        return (*row[:PLAIN], None, None, row.due_at)
    held = None
    life = _life.dump_python(row.life, mode="json", exclude_defaults=True)
    if row.held is not None:
        life[_WAITS] = row.held.code
        held = vault.seal(
            f"source:{row.source}", _held.dump_json(row.held), _place(row.signal_key)
        )
    return (*row[:PLAIN], orjson.dumps(life).decode() if life else None, held, row[-1])


def row_of(columns: Sequence[Any], vault: Vault) -> KeyRow:
    """Return the row for its columns."""
    life, held, due_at = columns[PLAIN:]
    row = KeyRow._make((*columns[:PLAIN], NO_LIFE, None, due_at))
    if life is None and held is None:
        return row
    return row._replace(
        life=_life_of(life),
        held=_opened(vault, held, row.signal_key) if held else None,
    )


def row_without_words(columns: Sequence[Any]) -> KeyRow:
    """Return the row for columns whose held signal cannot be decrypted."""
    life, _, due_at = columns[PLAIN:]
    row = KeyRow._make((*columns[:PLAIN], NO_LIFE, None, due_at))
    try:
        return row._replace(life=_life_of(life))
    except ValidationError:  # written by a later version
        return row


def _life_of(written: dict[str, Any] | None) -> Life:
    fields = {name: value for name, value in (written or {}).items() if name != _WAITS}
    return _life.validate_python(fields, strict=False) if fields else NO_LIFE


def _opened(vault: Vault, held: str, key: str) -> HeldSignal | None:
    words = vault.open(held, _place(key))
    return None if words is None else _held.validate_json(words)


def _place(key: str) -> str:
    return f"held|{key}"


_COLUMNS = """signal_key, source, incident, state, severity, last_occurred_at,
       last_recovered_at, repeats, last_summary_at, recovery_heard_at, life, held,
       due_at
"""
_READ = f"SELECT {_COLUMNS} FROM intake.signal_keys WHERE signal_key = ANY(%b)"  # noqa: S608 # only constants
_WAITING = "held IS NOT NULL AND life ->> 'group' = ANY(%b)"
_READ_TOGETHER = f"{_READ} OR ({_WAITING} AND life ->> 'waits' = 'threshold')"
_WRITE = f"""
INSERT INTO intake.signal_keys ({_COLUMNS})
SELECT signal_key, source, incident, state, severity, last_occurred_at,
       last_recovered_at, repeats, last_summary_at, recovery_heard_at, life::jsonb,
       held, due_at
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
            %b::timestamptz[], %b::timestamptz[], %b::bigint[], %b::timestamptz[],
            %b::timestamptz[], %b::text[], %b::text[], %b::timestamptz[])
     AS fresh ({_COLUMNS})
ON CONFLICT (signal_key) DO UPDATE
SET incident = excluded.incident, state = excluded.state,
    severity = excluded.severity, last_occurred_at = excluded.last_occurred_at,
    last_recovered_at = excluded.last_recovered_at, repeats = excluded.repeats,
    last_summary_at = excluded.last_summary_at,
    recovery_heard_at = excluded.recovery_heard_at, life = excluded.life,
    held = excluded.held, due_at = excluded.due_at
"""  # noqa: S608 # only constants
_GROUPS_OF = """
SELECT DISTINCT life ->> 'group' FROM intake.signal_keys
WHERE signal_key = ANY(%b) AND life ? 'group'
"""
_WAIT_IN = f"""
SELECT signal_key, source FROM intake.signal_keys
WHERE {_WAITING} AND life ->> 'waits' = 'threshold'
"""  # noqa: S608 # only constants
_READ_GROUPS = """
SELECT group_key, source, incident, signalled_at FROM intake.signal_groups
WHERE group_key = ANY(%b)
"""
_WRITE_GROUPS = """
INSERT INTO intake.signal_groups (group_key, source, incident, signalled_at)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[])
ON CONFLICT (group_key) DO UPDATE
SET incident = excluded.incident, signalled_at = excluded.signalled_at
"""


class Moved(Exception):
    """The group changed before it was locked: roll back and retry."""


class Rows(NamedTuple):
    """Rows of keys and of groups.

    `unreadable` maps keys to the reason why the held signal cannot be decrypted: such
    rows may be used neither for decisions nor for writing.
    """

    keys: Mapping[str, KeyRow]
    groups: Mapping[str, GroupRow]
    unreadable: Mapping[str, str]


class Locked(NamedTuple):
    """What a batch is about: keys (key → source), and event ids with their sources.

    Event ids are locked too: each takes effect once, even if it comes with two keys at
    the same time.
    """

    sources: Mapping[str, str]
    events: Collection[tuple[str, str]] = ()

    def numbers(self) -> set[int]:
        """Return the numbers to lock."""
        keys = set(map(number_of, self.sources))
        return keys | {_event_number(*event) for event in self.events}


def lock_keys(cursor: Cursors, about: Locked, vault: Vault) -> Rows:
    """Lock these keys and event ids until the transaction ends; return the rows.

    A new key has no row yet, so numbers derived from the keys are locked, in order.
    Locking and reading are two statements: the rows must be read once the locks are
    granted.
    """
    lock_numbers(cursor, about.numbers())
    found = cursor.execute(_READ, (list(about.sources),), binary=True).fetchall()
    rows, unreadable = _rows(found, about.sources, vault)
    return Rows(rows, {}, unreadable)


def lock_together(
    cursor: Cursors, about: Locked, groups: Iterable[str], vault: Vault
) -> Rows:
    """Lock these keys and event ids, their groups, and the rows waiting in these.

    The groups are looked up first and then locked in one pass. Raises `Moved` if they
    changed in between.
    """
    sources = about.sources
    keys = list(sources)
    known = cursor.execute(_GROUPS_OF, (keys,)).fetchall()
    all_groups = sorted({*groups, *(group for (group,) in known)})
    waiting = cursor.execute(_WAIT_IN, (all_groups,)).fetchall()
    locked = {**dict(waiting), **sources}
    lock_numbers(cursor, about.numbers() | set(map(number_of, [*locked, *all_groups])))
    values = (list(locked), all_groups)
    found = cursor.execute(_READ_TOGETHER, values, binary=True).fetchall()
    rows, unreadable = _rows(found, locked, vault)
    here = {row.life.group for row in rows.values()} - {None}
    if not rows.keys() <= locked.keys() or not here <= set(all_groups):
        raise Moved
    read = cursor.execute(_READ_GROUPS, (all_groups,), binary=True).fetchall()
    return Rows(rows, {row[0]: GroupRow(*row) for row in read}, unreadable)


def _rows(
    found: Sequence[tuple[Any, ...]], sources: Mapping[str, str], vault: Vault
) -> tuple[dict[str, KeyRow], dict[str, str]]:
    rows: dict[str, KeyRow] = {}
    unreadable: dict[str, str] = {}
    for columns in found:
        try:
            rows[columns[0]] = row_of(columns, vault)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 # any failure concerns this row only
            rows[columns[0]] = row_without_words(columns)
            unreadable[columns[0]] = wordless(error)
    new = (key for key in sources if key not in rows)
    return rows | {key: KeyRow(key, sources[key]) for key in new}, unreadable


def read_keys(cursor: Cursors, keys: Sequence[str], vault: Vault) -> Rows:
    """Return the existing rows of these keys without locking; no groups."""
    found = cursor.execute(_READ, (list(keys),), binary=True).fetchall()
    rows, unreadable = _rows(found, {}, vault)
    return Rows(rows, {}, unreadable)


def write_keys(cursor: Cursors, rows: Sequence[KeyRow], vault: Vault) -> None:
    """Write changed rows; their keys must be locked."""
    if rows:
        columns = zip(*(columns_of(row, vault) for row in rows), strict=True)
        cursor.execute(_WRITE, [list(column) for column in columns])


def write_groups(cursor: Cursors, rows: Sequence[GroupRow]) -> None:
    """Write changed groups; they must be locked."""
    if rows:
        columns = zip(*rows, strict=True)
        cursor.execute(_WRITE_GROUPS, [list(column) for column in columns])


def _event_number(source: str, event_id: str) -> int:
    """Return 32 bits of an event id, in the same number space as keys."""
    told = f"event\0{source}\0{event_id}".encode(errors="replace")
    return int.from_bytes(sha256(told).digest()[:4], signed=True)
