"""A read model, and its generations: created, found, made live and dropped.

A generation is a separate database schema, `rm_queue_v1`, `rm_queue_v2`: rebuilt next
to the live one and made live in one transaction. Every read looks it up again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, Field

from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.readers.position import Bookmark, tracking_tables
from shared.vault.vault import Vault

State = TypeVar("State")


@dataclass(frozen=True)
class ReadModel(Generic[State]):
    """How to create, update, rebuild and compare one read model.

    `shape` increases with each change of tables or meaning: a live generation with
    another shape is rebuilt when the service starts. `State` is the state of one record
    after its events; `step` is pure. The live generation applies entries in batches to
    rows that are read and written back; a rebuild folds whole records in memory with
    the same `step`: all streams about an incident together, any other by itself.

    If an event of a stream cannot be applied, later events of that stream wait, but not
    those of other streams about the same incident: so the result for one stream must
    not depend on the others being read first.
    """

    name: str
    shape: int
    opens: frozenset[str]
    """Types of events whose personal text it stores; all others need no decryption."""
    tables: Callable[[str], Sequence[str]]
    """Returns the statements that create its tables in a schema."""
    indexes: Callable[[str], Sequence[str]]
    """Returns the statements that complete them once rows were inserted."""
    apply: Callable[[Cursors, str, Sequence[Entry]], None]
    step: Callable[[State | None, Entry], State | None]
    insert: Callable[[Cursors, str, Sequence[State]], None]
    """Inserts the states of records of which the schema has none."""
    compared: Sequence[str]
    """Queries with a placeholder `{schema}`, over whose rows the digest is computed."""
    keyed: "Callable[[Vault], ReadModel[State]] | None" = None
    """Returns the model with a key of the vault; None if it needs no key."""

    @property
    def opens_words(self) -> bool:
        """Whether its rows cannot be built without the vault's master key."""
        return bool(self.opens)

    def bound(self, vault: Vault) -> "ReadModel[State]":
        """Return the model ready to be applied, with a key of `vault` if needed."""
        return self if self.keyed is None else self.keyed(vault)


@dataclass(frozen=True, slots=True)
class Live:
    """The live generation of a read model, and the previous one for a rollback."""

    schema: str
    shape: int
    previous_schema: str | None
    previous_shape: int | None


@dataclass(frozen=True, slots=True)
class AsOf:
    """What the answer is based on: every event up to `position`, recorded at `time`."""

    position: Annotated[int, Field(examples=[1042])]
    time: Annotated[
        AwareDatetime | None, Field(description="Null while the log is empty.")
    ]


class NotBuilt(Exception):
    """The read model is not built yet, or not yet in the current version."""


_LIVE = """
SELECT schema_name, shape, previous_schema, previous_shape FROM rm.active
WHERE name = %s
"""


def live(cursor: Cursors, model: ReadModel[Any]) -> Live:
    """Return the live generation of a read model, or raise `NotBuilt`."""
    found = find_live(cursor, model.name)
    if found is None or found.shape != model.shape:
        raise NotBuilt(f"the read model {model.name} is being built")
    return found


def find_live(cursor: Cursors, name: str) -> Live | None:
    """Return the live generation of a read model, None if it was never built."""
    row = cursor.execute(_LIVE, (name,)).fetchone()
    return Live(*row) if row else None


def hold_live(cursor: Cursors, name: str, *, alone: bool) -> Live | None:
    """Return the live generation, locked until the transaction ends.

    Readers that apply events share the lock; a flip takes it `alone`.
    """
    mode = "FOR UPDATE" if alone else "FOR SHARE"
    row = cursor.execute(f"{_LIVE} {mode}", (name,)).fetchone()
    return Live(*row) if row else None


def as_of(cursor: Cursors, schema: str) -> AsOf:
    """Return the position of a generation."""
    row = cursor.execute(
        f"SELECT position, recorded_at FROM {schema}.tracking"  # noqa: S608 # our own names
    ).fetchone()
    return AsOf(*row) if row and row[0] else AsOf(0, None)


_NUMBERED = re.compile(r"_v(\d+)$")
_ALL = """
SELECT nspname FROM pg_namespace WHERE nspname ~ ('^rm_' || %s || '_v[0-9]+$')
"""
_FLIP = """
INSERT INTO rm.active AS a (name, schema_name, shape, flipped_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET
    previous_schema = a.schema_name, previous_shape = a.shape,
    schema_name = excluded.schema_name, shape = excluded.shape,
    flipped_at = excluded.flipped_at
"""
_FORGET_PREVIOUS = """
UPDATE rm.active SET previous_schema = NULL, previous_shape = NULL WHERE name = %s
"""


def generations(cursor: Cursors, name: str) -> list[str]:
    """Return the schemas of all existing generations, finished or not."""
    rows = cursor.execute(_ALL, (name,)).fetchall()
    return sorted((schema for (schema,) in rows), key=_number)


def _number(schema: str) -> int:
    found = _NUMBERED.search(schema)
    return int(found[1]) if found else 0


def create(cursor: Cursors, model: ReadModel[Any]) -> str:
    """Create the tables of the next generation, without indexes; return its schema.

    Its number was never used before: late writes of a killed rebuild find no table.
    """
    taken = generations(cursor, model.name)
    number = _number(taken[-1]) + 1 if taken else 1
    cursor.execute("SELECT rm.make_generation(%s, %s)", (model.name, number))
    schema = f"rm_{model.name}_v{number}"
    for statement in (tracking_tables(schema), *model.tables(schema)):
        cursor.execute(statement)
    Bookmark(schema, model.name).start(cursor)
    cursor.execute(
        f"GRANT SELECT ON {schema}.tracking, {schema}.parked"
        " TO desk_auditor, desk_admin"
    )
    return schema


def flip(cursor: Cursors, model: ReadModel[Any], schema: str, now: datetime) -> None:
    """Make `schema` the live generation and keep the previous one for a rollback."""
    cursor.execute(_FLIP, (model.name, schema, model.shape, now))


def forget_previous(cursor: Cursors, model: ReadModel[Any]) -> None:
    """Keep no generation for a rollback."""
    cursor.execute(_FORGET_PREVIOUS, (model.name,))


def drop_others(cursor: Cursors, name: str, keep: set[str | None]) -> list[str]:
    """Drop all generations but those in `keep`; return what was dropped."""
    strays = [schema for schema in generations(cursor, name) if schema not in keep]
    for schema in strays:
        cursor.execute("SELECT rm.drop_generation(%s)", (schema,))
    return strays
