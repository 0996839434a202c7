"""A synchronisation that nobody watches is safe."""

from datetime import UTC, datetime

import pytest

from services.intake.people.import_plan import PersonPlan, WishedPerson
from services.intake.people.sync_plan import (
    PeopleFound,
    candidates,
    first_part,
    require_moderation,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonRemoved,
    PersonRoleGranted,
    PersonRoleWithdrawn,
)
from shared.domain.person import PersonRights, replay
from shared.domain.refusal import Refused

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
BY = {"at": AT, "by": "person:root", "person": "nadia"}


def granted(person: str = "nadia", number: int = 1) -> PersonRoleGranted:
    grant = f"{person}.{number}"
    return PersonRoleGranted(
        at=AT, by="system:ldap", person=person, grant=grant, role="agent", imported=True
    )


def withdrawn(person: str) -> PersonRoleWithdrawn:
    return PersonRoleWithdrawn(
        at=AT, by="system:ldap", person=person, grant=f"{person}.1"
    )


def removed(*, imported: bool) -> PersonRemoved:
    return PersonRemoved(at=AT, by="person:root", person="nadia", imported=imported)


def listing(*people: str) -> PeopleFound:
    wished = (WishedPerson({"id": each, "name": each}) for each in people)
    return PeopleFound(tuple(wished), frozenset(people), (), 0)


@pytest.mark.parametrize(
    ("history", "is_taken"),
    [
        ([], True),
        ([granted(), removed(imported=True)], True),
        ([granted(), removed(imported=False)], False),
        ([granted(), removed(imported=False), granted(number=3)], True),
    ],
)
def test_nobody_comes_back_whom_a_person_removed(
    history: list[PersonEvent], *, is_taken: bool
) -> None:
    chosen = candidates(listing("nadia"), frozenset(), {"nadia": replay(history)})

    assert bool(chosen.people) == is_taken
    assert is_taken or "person:root removed them" in chosen.left_out[0].why


def test_who_was_forgotten_gets_no_name_again() -> None:
    chosen = candidates(listing("nadia", "paul"), frozenset(["nadia"]), {})

    assert [each.id for each in chosen.people] == ["paul"]
    assert [each.who for each in chosen.left_out] == ["nadia"]


def test_an_answer_without_anybody_is_a_mistake() -> None:
    with pytest.raises(Refused, match="`base` and `filter`"):
        candidates(listing(), frozenset(), {})


@pytest.mark.parametrize(
    ("losers", "holders", "is_too_much"),
    [(2, 3, False), (3, 3, True), (3, 29, True), (3, 30, False), (0, 0, False)],
)
def test_it_stops_before_too_many_people_lose_every_role(
    losers: int, holders: int, *, is_too_much: bool
) -> None:
    rights: dict[str, PersonRights] = {}
    plans = []
    for number in range(holders):
        person = f"p{number}"
        over = granted(person, 2).model_copy(update={"until": AT})
        rights[person] = replay([granted(person), over])
        events = (withdrawn(person),) if number < losers else ()
        held = rights[person].grants
        plans.append(PersonPlan(person, "changed", (), events, held))

    if is_too_much:
        with pytest.raises(Refused, match=f"{losers} of {holders} people"):
            require_moderation(plans, rights, AT)
    else:
        require_moderation(plans, rights, AT)


def test_who_only_moves_loses_nothing() -> None:
    people = [f"p{number}" for number in range(5)]
    rights = {each: replay([granted(each)]) for each in people}
    plans = [
        PersonPlan(
            each,
            "changed",
            (),
            (withdrawn(each), granted(each, 3)),
            rights[each].grants,
        )
        for each in people
    ]

    require_moderation(plans, rights, AT)


def test_a_part_ends_between_people_and_is_never_empty() -> None:
    plans = [
        PersonPlan(f"p{number}", "added", (), (granted(),) * number, {})
        for number in (3, 2, 0, 4)
    ]

    found = [len(first_part(plans, most, {})) for most in (1, 3, 5, 8, 9)]
    assert found == [1, 1, 3, 3, 4]
    assert len(first_part(plans, 5, {"p0": 1})) == 2, "addresses count, too"
