"""What a synchronisation with an outside directory changes. Pure.

It compares people as an import does. It also has to be safe without anybody looking:
it removes only people that it found before, does not bring back those that a person
removed, writes no name of somebody who was forgotten, and stops before it takes away
too much.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from services.intake.people.import_plan import PersonPlan, WishedPerson
from shared.domain.commands.person import REMOVED_SHARE_MAX
from shared.domain.events.event import Actor
from shared.domain.events.person import PersonRoleGranted, PersonRoleWithdrawn
from shared.domain.person import NOTHING, PersonRights, Removal
from shared.domain.refusal import Refused

WITHOUT_ROLE_FREE = 2
"""How many people may lose every role at once, however few there are."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that was not taken, or one column of it."""

    who: str
    why: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleFound:
    """What an outside directory answered, all of it.

    `listed` has the ids of everybody in it, also of those who cannot be taken.
    """

    people: tuple[WishedPerson, ...]
    listed: frozenset[str]
    left_out: tuple[LeftOut, ...]
    disabled: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """The people a synchronisation may change, and those it leaves alone and why."""

    people: tuple[WishedPerson, ...]
    left_out: tuple[LeftOut, ...]


def candidates(
    found: PeopleFound,
    forgotten: AbstractSet[str],
    rights: Mapping[str, PersonRights],
) -> Candidates:
    """Return whom to take; raises `Refused` if nobody was found at all."""
    if not found.listed:
        raise Refused(
            "nobody was found, and nothing was changed: are `base` and `filter` right?",
            "state",
        )
    people, left_out = [], list(found.left_out)
    for each in found.people:
        if each.id in forgotten:
            why = "they were forgotten: remove them from LDAP"
            left_out.append(LeftOut(each.id, why))
        elif by := removed_by_hand(rights.get(each.id, NOTHING)):
            why = f"{by} removed them: give them a role if they are to come back"
            left_out.append(LeftOut(each.id, why))
        else:
            people.append(each)
    return Candidates(tuple(people), tuple(left_out))


def removed_by_hand(rights: PersonRights) -> Actor | None:
    """Return who removed somebody that has not come back; None if an import did."""
    match rights.removal:
        case Removal(by=by, returned_at=None, imported=False):
            return by
        case _:
            return None


def require_moderation(
    plans: Sequence[PersonPlan], rights: Mapping[str, PersonRights], at: datetime
) -> None:
    """Raise `Refused` if too many people would lose every role that they have at `at`.

    A group that was emptied by mistake must not end the work of a whole desk.
    """
    held = {each.person: len(rights[each.person].in_force(at)) for each in plans}
    holders = {person for person, roles in held.items() if roles}
    losers = [
        each
        for each in plans
        if each.person in holders and _loses_every_role(each, held[each.person])
    ]
    share = len(losers) * 100 > len(holders) * REMOVED_SHARE_MAX
    if share and len(losers) > WITHOUT_ROLE_FREE:
        raise Refused(
            f"{len(losers)} of {len(holders)} people would lose every role, more than "
            f"{REMOVED_SHARE_MAX} %, and nothing was changed: was a group emptied or "
            "left out? Withdraw the roles one by one if it is meant",
            "state",
        )


def _loses_every_role(plan: PersonPlan, roles: int) -> bool:
    if plan.change == "removed":
        return False  # counted on its own
    if any(isinstance(event, PersonRoleGranted) for event in plan.events):
        return False
    gone = sum(isinstance(event, PersonRoleWithdrawn) for event in plan.events)
    return gone == roles


def first_part(
    plans: Sequence[PersonPlan], events_max: int, more: Mapping[str, int]
) -> Sequence[PersonPlan]:
    """Return the first people whose events fit into one transaction; one at least.

    `more` is how many events each has beside those of their plan: their addresses.
    """
    count = 0
    for at, each in enumerate(plans):
        count += len(each.events) + more.get(each.person, 0)
        if count > events_max and at:
            return plans[:at]
    return plans
