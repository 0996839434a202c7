"""The epochs of the log: which one an event belongs to, by its position.

A restored log gives positions, versions and references again. What leaves the desk and
may come back (keys of notifications, cursors, positions of a stream) therefore names
the epoch. The first epoch adds nothing, so what was given out before stays valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor

from shared.eventlog.continuity.check import FIRST, EpochId, label

_EPOCHS = "SELECT number, token, begins_after FROM log.epochs ORDER BY number"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch: it holds the events after `begins_after`, until the next begins."""

    id: EpochId
    begins_after: int

    @property
    def label(self) -> str:
        """What it adds to a key; empty for the first epoch."""
        return label(self.id)


class OtherEpoch(Exception):
    """A position of another history: this log does not contain what it named."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """All epochs of a log, in order."""

    all: Sequence[Epoch]

    @property
    def newest(self) -> Epoch:
        """The epoch in which events are recorded now."""
        return self.all[-1]

    def of(self, position: int) -> Epoch:
        """Return the epoch of the event at a position."""
        begun = [epoch for epoch in self.all if epoch.begins_after < position]
        return begun[-1] if begun else self.all[0]

    def key(self, key: str, position: int) -> str:
        """Return the key under which what an event requested leaves the desk."""
        name = self.of(position).label
        return f"{key}@{name}" if name else key

    def id_at(self, position: int) -> str:
        """Return a position as others keep it: with its epoch, after the first one."""
        name = self.of(position).label
        return f"{name}:{position}" if name else str(position)

    def position(self, written: str) -> int:
        """Return the position in what `id_at` wrote.

        Raises `OtherEpoch` if the log does not contain that event, and `ValueError`
        if it is not such an id.
        """
        name, _, digits = written.rpartition(":")
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"{written!r} is not an id of an event")
        position = int(digits)
        if self.of(position).label != name:
            raise OtherEpoch(f"position {written} is not in this log any more")
        return position


ONLY_FIRST = Epochs((Epoch(FIRST, 0),))


def read_epochs(cursor: Cursor[tuple[Any, ...]]) -> Epochs:
    """Return the epochs as the transaction sees them."""
    rows = cursor.execute(_EPOCHS).fetchall()
    return Epochs([Epoch(EpochId(row[0], row[1]), row[2]) for row in rows])
