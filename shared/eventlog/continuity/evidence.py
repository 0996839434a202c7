"""What was seen of a log: an event, its epoch, which log, and the numbers issued."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from shared.eventlog.entry import GENESIS

THIS_PROCESS, NATS = "this process", "NATS"
"""Witnesses. What NATS has seen decides which log the desk is about."""

Kind = Literal["incident", "problem", "change"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Numbers = Mapping[Kind, int]
"""The highest number of a reference that was issued, of each kind."""
NO_NUMBERS: Numbers = MappingProxyType({})


class Mark(NamedTuple):
    """An event that the log must contain: its position and its chain hash."""

    position: int
    chain: bytes


class EpochId(NamedTuple):
    """An epoch's id: its number, and a token that is unique for each restore."""

    number: int
    token: str


class Evidence(NamedTuple):
    """An event that was seen in an epoch, and by what it was."""

    mark: Mark
    epoch: EpochId
    witness: str
    """As the subject of a sentence."""
    origin: str = ""
    """Which log it was: how the hash of its first event begins; empty if not known."""
    numbers: Numbers = NO_NUMBERS
    """What had been issued then, as far as it is known."""

    @property
    def event(self) -> tuple[Mark, EpochId]:
        """What was seen, by anyone."""
        return self.mark, self.epoch

    @property
    def end(self) -> tuple[int, int]:
        """How far it goes, to compare it with other evidence."""
        return self.epoch.number, self.mark.position

    @property
    def written(self) -> str:
        """It as a word, which people pass on to `permanence restored`."""
        epoch, numbers = label(self.epoch) or "1", self.numbers
        issued = ",".join(str(numbers.get(kind, 0)) for kind in KINDS)
        mark = f"{self.mark.position}:{self.mark.chain.hex()}"
        return f"{epoch}:{mark}:{self.origin}:{issued}"

    def is_of_another_log(self, origin: str) -> bool:
        """Return whether the log that begins with `origin` is another one.

        An empty log has no beginning: it may be this one, of which nothing is left.
        """
        return bool(self.origin and origin) and self.origin != origin


BEGINNING = Mark(0, GENESIS)
FIRST = EpochId(1, "")


def highest(*known: Numbers) -> Numbers:
    """Return the highest number of each kind that any of them knows."""
    return {
        kind: max(each.get(kind, 0) for each in known)
        for kind in KINDS
        if any(kind in each for each in known)
    }


def label(epoch: EpochId) -> str:
    """Return the suffix of an epoch for keys and positions; empty for the first one."""
    return f"{epoch.number}-{epoch.token}" if epoch.number > FIRST.number else ""


def epoch_labelled(written: str) -> EpochId:
    """Return the epoch with a label; raises `ValueError` if it is not one."""
    if not written:
        return FIRST
    number, _, token = written.partition("-")
    return EpochId(int(number), token)
