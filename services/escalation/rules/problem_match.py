"""Finds the open problem that an incident joins after breaking its promise. Pure."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.domain.events.problem import Match
from shared.domain.policy.contracts import UNKNOWN

PROPOSED_MAX = 20
"""Problems that are listed if several match, since the size of an event is limited."""


class OpenProblems(NamedTuple):
    """Open problems that match an incident, oldest first, by what they share."""

    of_signature: Sequence[str] = ()
    """Problems with an incident of the same signature."""
    of_service: Sequence[str] = ()


class Matching(NamedTuple):
    """The one problem that matches, and by what; or several to choose from."""

    problem: str | None = None
    matched: Match | None = None
    proposed: tuple[str, ...] = ()


def matching(found: OpenProblems, service: str, parted: Collection[str]) -> Matching:
    """Return the problem an incident of `service` joins, or those proposed to a person.

    A signature is more specific than a service: if any problem matches by signature,
    the service is ignored. Problems the incident was taken out of are neither joined
    nor proposed again. The unknown service never matches.
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
