"""What absences and overrides make of the people on call at an instant.

Overrides apply in the order in which they were made, each to what the earlier ones
left: who replaced somebody can be replaced. A replacement also takes the place of a
person whom a removal took off, as in GoAlert. A person whom an override adds comes
after the others, and a person is on call once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from shared.domain.on_call.assignments import Assignment, Origin
from shared.domain.on_call.roster import Override
from shared.domain.policy.schedules import group

Placed = tuple[str, Origin]
"""A person on call, and what put them there."""


@dataclass(slots=True)
class _Place:
    """A place on call: who has it, and whether they were taken off."""

    person: str
    origin: Origin
    is_removed: bool = False


def present(assignment: Assignment, absent: frozenset[str]) -> tuple[str, ...]:
    """Return the people of an assignment, and for absent ones the next who are not.

    If all participants are absent, the people of the turn remain: no gap arises.
    """
    if absent.isdisjoint(assignment.people):
        return assignment.people
    here = [person for person in assignment.people if person not in absent]
    lacking = len(assignment.people) - len(here)
    for participant in assignment.substitutes:
        free = [
            person
            for person in group(participant)
            if person not in absent and person not in here
        ]
        here += free[:lacking]
        lacking -= len(free[:lacking])
    return tuple(here) or assignment.people


def overridden(
    people: Iterable[Placed], overrides: Sequence[tuple[int, Override]]
) -> tuple[Placed, ...]:
    """Return who is on call under overrides, each with its index, in their order."""
    places = [_Place(person, origin) for person, origin in people]
    for index, override in overrides:
        _apply(places, override, ("override", index, 0))
    held: dict[str, Origin] = {}
    for place in places:
        if not place.is_removed:
            held.setdefault(place.person, place.origin)
    return tuple(held.items())


def _apply(places: list[_Place], override: Override, origin: Origin) -> None:
    concerned = [place for place in places if place.person == override.remove]
    match override.type:
        case "add":
            if override.add is not None:
                places.append(_Place(override.add, origin))
        case "remove":
            for place in concerned:
                place.is_removed = True
        case "replace":
            for place in concerned:
                if override.add is not None:
                    place.person, place.origin = override.add, origin
                    place.is_removed = False
        case _:
            assert_never(override.type)
