"""A command as it came: who asks, what for, and what it needs to be decided."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from services.intake.commands import CloseSilent, RecordWish
from shared.domain.commands.change import (
    ChangeWish,
    LinkChange,
    RequestChange,
    UnlinkChange,
)
from shared.domain.commands.incident import (
    Link,
    Merge,
    Open,
    PersonsWish,
    Resolve,
    Split,
    Unlink,
    Unmerge,
)
from shared.domain.commands.problem import (
    IdentifyProblem,
    LinkProblem,
    ProblemWish,
    UnlinkProblem,
)
from shared.messaging.commands import CommandRequest

AnyWish = PersonsWish | RecordWish | CloseSilent

INCIDENT, PROBLEM, CHANGE = "incident", "problem", "change"
"""What commands may be about."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command as it came: who asks is in `request`, what for in `wish`."""

    request: CommandRequest[Any]
    wish: AnyWish
    digest: bytes

    @property
    def verb(self) -> str:
        """What it is called in logs and metrics: `acknowledge`, `problem.link`."""
        return verb_of(self.wish)


def verb_of(wish: AnyWish) -> str:
    """Return the verb, with its aggregate where that is no incident."""
    if isinstance(wish, ProblemWish):
        return f"{PROBLEM}.{wish.verb}"
    if isinstance(wish, ChangeWish):
        return f"{CHANGE}.{wish.verb}"
    return wish.verb


def moves_keys(wish: AnyWish) -> bool:
    """Tell whether a wish may move signal keys from one incident to another."""
    return isinstance(wish, Merge | Unmerge | Split)


def begins(wish: AnyWish) -> str | None:
    """Return the kind of record that a wish may begin, and needs a reference for."""
    match wish:
        case Open() | Split():
            return INCIDENT
        case IdentifyProblem():
            return PROBLEM
        case RequestChange():
            return CHANGE
        case _:
            return None


def is_beginning(wish: AnyWish) -> bool:
    """Tell whether a wish is about a record that is not there yet."""
    return isinstance(wish, Open | IdentifyProblem | RequestChange)


def refs_read(wanted: Iterable[Wanted]) -> set[str]:
    """Return the records these commands name: their own and the others."""
    return set(chain.from_iterable(map(_named, wanted)))


def _named(wanted: Wanted) -> list[str]:
    named: list[str | None] = [wanted.request.about]
    match wanted.wish:
        case Merge(into=other) | Link(target=other) | Unlink(target=other):
            named.append(other)
        case (
            Open(follows=other)
            | IdentifyProblem(incident=other)
            | Resolve(solution=other)
        ):
            named.append(other)
        case (
            LinkProblem(incident=incident, change=record)
            | UnlinkProblem(incident=incident, change=record)
            | LinkChange(incident=incident, problem=record)
            | UnlinkChange(incident=incident, problem=record)
            | RequestChange(incident=incident, problem=record)
        ):
            named += [incident, record]
        case _:
            pass
    return [ref for ref in named if ref]


def reporters(wanted: Mapping[int, Wanted]) -> list[str]:
    """Return the people these commands report for without naming their client."""
    found = (without_client(each.wish) for each in wanted.values())
    return sorted({reporter for reporter in found if reporter})


def without_client(wish: AnyWish) -> str | None:
    """Return the reporter whose client is not named, None where there is none."""
    match wish:
        case Open(client=None, reporter=reporter):
            return reporter
        case _:
            return None
