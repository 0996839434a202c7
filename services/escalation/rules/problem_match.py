"""Which open problem an incident that broke its promise joins by itself. Pure."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.domain.events.problem import Match
from shared.domain.policy.contracts import UNKNOWN

PROPOSED_MAX = 20
"""Problems that are named where several match: an event has its size."""


class OpenProblems(NamedTuple):
    """Problems that are open, the oldest first, by what they share with an incident."""

    of_signature: Sequence[str] = ()
    """Those that have an incident of the same signature."""
    of_service: Sequence[str] = ()


class Matching(NamedTuple):
    """The one problem that matches and by what, or several to choose from, or none."""

    problem: str | None = None
    matched: Match | None = None
    proposed: tuple[str, ...] = ()


def matching(found: OpenProblems, service: str, parted: Collection[str]) -> Matching:
    """Return what an incident of `service` joins, or what is proposed to a person.

    The signature says more than the service: it alone counts where it says anything.
    No problem it was taken out of is joined or proposed again, and that nobody knows
    the service is nothing to have in common.
    """
    alike = [each for each in found.of_signature if each not in parted]
    same = [each for each in found.of_service if each not in parted]
    if alike:
        return _one_of(alike, "signature")
    return Matching() if service == UNKNOWN else _one_of(same, "service")


def _one_of(problems: Sequence[str], matched: Match) -> Matching:
    match problems:
        case []:
            return Matching()
        case [one]:
            return Matching(one, matched)
        case several:
            return Matching(proposed=tuple(several[:PROPOSED_MAX]))
