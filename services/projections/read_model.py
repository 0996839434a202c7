"""A read model: its tables, what an event changes in them, and how to fill them fast.

Live, entries are applied in batches to rows that are read and written back. A rebuild
folds whole records in memory with the same `step` and copies the results in: all the
streams about an incident together, any other stream alone.
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
    """How to make, follow, fill and compare one read model.

    `shape` grows with each change of tables or meaning: a live generation of another
    shape is rebuilt when the service starts. `State` is what the events of one record
    come to; `step` is pure. Where an event of a stream cannot be applied, the later
    ones of that stream wait, and those of others about the same incident do not: so
    what one stream says must not hang on having heard the others first.
    """

    name: str
    shape: int
    opens: frozenset[str]
    """Types of events whose personal words it keeps; all others may stay sealed."""
    tables: Callable[[str], Sequence[str]]
    indexes: Callable[[str], Sequence[str]]
    apply: Callable[[Cursors, str, Sequence[Entry]], None]
    step: Callable[[State | None, Entry], State | None]
    copied: str
    """Table and columns that `columns` fill, for COPY."""
    types: Sequence[str]
    """The PostgreSQL types of those columns."""
    columns: Callable[[State], Iterable[Sequence[object]]]
    finish: Callable[[Cursors, str, Sequence[State]], None]
    """Changes what is not copied, by the states that were."""
    compared: Sequence[str]
    """Queries with a place for `{schema}`, whose rows make the digest."""

    @property
    def opens_words(self) -> bool:
        """Whether its rows cannot be made without the vault's master key."""
        return bool(self.opens)
