"""Walks the log's hash chain, event by event, to the first that was altered.

Pure: rows are passed in. It cannot detect a chain that somebody with write access to
the database recomputed from some event on; anchors outside the log detect that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.eventlog.entry import GENESIS
from shared.eventlog.log import Row, follows

Kind = Literal[
    "gap",
    "changed",
    "earlier",
    "anchor",
    "tail",
    "versions",
    "checkpoint",
    "document",
    "file",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """The first bad position, and a sentence that says what is wrong with it."""

    position: int
    kind: Kind
    sentence: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A hash of the event at `position` that was stored elsewhere."""

    position: int
    chain: bytes
    whose: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The position up to which the log was verified, and the hash of that event."""

    position: int
    chain: bytes


BEGINNING = Checkpoint(0, GENESIS)


def anchor_finding(anchor: Anchor, chain: bytes) -> Finding | None:
    """Return a finding if the hash `chain` differs from the anchor's."""
    if anchor.chain == chain:
        return None
    return Finding(
        anchor.position,
        "anchor",
        f"{anchor.whose} remembers another event at {anchor.position}: the log was "
        "rewritten there or before",
    )


@dataclass(slots=True)
class Walk:
    """The state of the walk; each of `anchors` is compared when it is reached."""

    anchors: Sequence[Anchor] = ()
    position: int = 0
    chain: bytes = GENESIS
    recorded_at: datetime | None = None
    _ahead: dict[int, list[Anchor]] = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = by_position(self.anchors)

    def step(self, row: Row) -> Finding | None:
        """Check the next row; return a finding if it is wrong."""
        expected = self.position + 1
        if row.position != expected:
            return _gap(expected, row.position)
        if self.recorded_at is not None and row.recorded_at < self.recorded_at:
            return Finding(
                expected,
                "earlier",
                f"the event at {expected} is recorded earlier than the one before it",
            )
        if not follows(self.chain, row):
            return Finding(
                expected,
                "changed",
                f"the event at {expected} ({row.type}, version {row.version} of "
                f"{row.stream}) is not the one recorded there: it was changed, moved "
                "or put in, or one before it was taken out",
            )
        for anchor in self._ahead.get(expected, ()):
            if finding := anchor_finding(anchor, row.chain):
                return finding
        self.position, self.chain = expected, row.chain
        self.recorded_at = row.recorded_at
        return None

    def end(self) -> Finding | None:
        """Return a finding if anchors prove that events are missing at the end."""
        beyond = max(self._ahead, default=0)
        if beyond <= self.position:
            return None
        anchor = self._ahead[beyond][0]
        return Finding(
            self.position + 1,
            "tail",
            f"the log ends at {self.position}, but {anchor.whose} has seen the event "
            f"at {beyond}: the end was cut off",
        )


def by_position(anchors: Iterable[Anchor]) -> dict[int, list[Anchor]]:
    """Return anchors by the position of their event; several may share one."""
    found: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        found.setdefault(anchor.position, []).append(anchor)
    return found


def _gap(expected: int, found: int) -> Finding:
    missing = f"{expected}" if found == expected + 1 else f"{expected} to {found - 1}"
    return Finding(
        expected, "gap", f"the events at {missing} are missing: they were deleted"
    )
