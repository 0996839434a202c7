"""Decides whose turn it is among the people of a target. Pure.

The turn follows the last one of the same target: within an escalation its own, else
that of the newest escalation. Somebody who was not paged at the level comes first, so
that an attempt without an answer passes to the next person.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, assert_never

from shared.domain.events.escalation import EscalationPaged
from shared.domain.policy.escalation import (
    Page,
    PageChannel,
    PagePerson,
    PageSchedule,
    PageTeam,
)


class Turn(NamedTuple):
    """A turn of a target: its number, from 1, and whose it was."""

    number: int
    person: str


def target_key(page: Page) -> str | None:
    """Return the key of a target that is paged by turns, None for other targets.

    The page has the names that the policy may leave out.
    """
    match page:
        case PageSchedule(schedule=name, who=who, role=role, round_robin=True):
            return _of_schedule(name, who, role)
        case PageTeam(team=name, who=who, round_robin=True):
            return _of_team(name, who)
        case PageSchedule() | PageTeam() | PagePerson() | PageChannel():
            return None
        case _:
            assert_never(page)


def turn_in(event: EscalationPaged) -> tuple[str, Turn] | None:
    """Return the turn that a page was, with the key of its target."""
    if event.turn is None or not event.people:
        return None
    if event.schedule is not None:
        key = _of_schedule(event.schedule, event.who, event.role or "primary")
    else:
        key = _of_team(event.team, event.who)
    return key, Turn(event.turn, event.people[0])


def _of_schedule(name: str | None, who: str, role: str) -> str:
    return f"schedule/{name}/{who}/{role}"


def _of_team(name: str | None, who: str) -> str:
    return f"team/{name}/{who}"


def next_turn(
    people: Sequence[str],
    left: Sequence[str],
    asked: Collection[str],
    last: Turn | None,
) -> Turn:
    """Return the turn of the next one of `left`, of whom there is one at least.

    `people` are all of the target in their order, `asked` those paged at the level.
    """
    place = people.index(last.person) + 1 if last and last.person in people else 0
    order = [each for each in (*people[place:], *people[:place]) if each in left]
    fresh = (each for each in order if each not in asked)
    return Turn(last.number + 1 if last else 1, next(fresh, order[0]))
