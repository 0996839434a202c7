"""A read model: its tables, how events change them, and how to rebuild them fast.

The live generation applies entries in batches to rows that are read and written back.
A rebuild folds whole records in memory with the same `step` and copies the results: all
streams about an incident together, any other stream by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from psycopg import Cursor

from shared.eventlog.entry import Entry

State = TypeVar("State")
Cursors = Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class ReadModel(Generic[State]):
    """How to create, update, rebuild and compare one read model.

    `shape` increases with each change of tables or meaning: a live generation with
    another shape is rebuilt when the service starts. `State` is the state of one record
    after its events; `step` is pure. If an event of a stream cannot be applied, later
    events of that stream wait, but not those of other streams about the same incident:
    so the result for one stream must not depend on the others being read first.
    """

    name: str
    shape: int
    opens: frozenset[str]
    """Types of events whose personal text it stores; all others need no decryption."""
    tables: Callable[[str], Sequence[str]]
    indexes: Callable[[str], Sequence[str]]
    apply: Callable[[Cursors, str, Sequence[Entry]], None]
    step: Callable[[State | None, Entry], State | None]
    copied: str
    """The table and columns that `columns` fills, for COPY."""
    types: Sequence[str]
    """The PostgreSQL types of those columns."""
    columns: Callable[[State], Iterable[Sequence[object]]]
    finish: Callable[[Cursors, str, Sequence[State]], None]
    """Writes what is not copied, from the copied states."""
    compared: Sequence[str]
    """Queries with a placeholder `{schema}`, over whose rows the digest is computed."""

    @property
    def opens_words(self) -> bool:
        """Whether its rows cannot be built without the vault's master key."""
        return bool(self.opens)
