"""The epochs of the log: the position of an event determines its epoch.

A restored log reuses positions, versions and references. Values that leave the desk and
may come back (keys of notifications, cursors, positions of a stream) therefore contain
the epoch. The first epoch adds nothing, so values issued earlier remain valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.database.cursors import Cursors
from shared.eventlog.continuity.evidence import FIRST, EpochId, label

_EPOCHS = "SELECT number, token, begins_after FROM log.epochs ORDER BY number"


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch: the events after `begins_after`, until the next epoch begins."""

    id: EpochId
    begins_after: int

    @property
    def label(self) -> str:
        """The suffix it adds to a key; empty for the first epoch."""
        return label(self.id)


class OtherEpoch(Exception):
    """A position of another history: this log does not contain that event."""


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
        """Return the key of an event's request as used outside the desk."""
        name = self.of(position).label
        return f"{key}@{name}" if name else key

    def id_at(self, position: int) -> str:
        """Return a position as clients store it: with its epoch, except the first."""
        name = self.of(position).label
        return f"{name}:{position}" if name else str(position)

    def position(self, written: str) -> int:
        """Return the position in an id from `id_at`.

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


def read_epochs(cursor: Cursors) -> Epochs:
    """Return the epochs."""
    rows = cursor.execute(_EPOCHS).fetchall()
    return Epochs([Epoch(EpochId(row[0], row[1]), row[2]) for row in rows])
