"""Given these rights, when somebody gives or withdraws some, then these (or a no)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.directory.givers import Giver
from services.intake.people.rules import granted, moved, removed, withdrawn
from shared.domain.commands.person import (
    GrantRole,
    MovePerson,
    RemovePerson,
    WithdrawRole,
)
from shared.domain.events.person import PersonEvent, PersonRoleGranted
from shared.domain.limits import EVERYTHING, Limits
from shared.domain.person import NOTHING, PersonRights, replay
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope
from tests.unit.intake.commands.scenario import NINE, POLICY

TEAM, OTHER_TEAM = sorted(POLICY.teams)[:2]
CLIENT = next(iter(POLICY.contracts.values())).client
NAMES = st.none() | st.frozensets(st.sampled_from("abc"), min_size=1)
LIMITS = st.builds(Limits, NAMES, NAMES, NAMES)


def giver(
    *scopes: Scope,
    by: str = "boss",
    limits: Mapping[Scope, tuple[Limits, ...]] | None = None,
) -> Giver:
    return Giver(f"person:{by}", NINE, scopes, limits or {}, POLICY)


ADMIN = giver("admin")


def give(who: Giver, rights: PersonRights = NOTHING, **said: Any) -> list[PersonEvent]:
    command = GrantRole.model_validate({"person": "nadia", "role": "agent", **said})
    return list(granted(command, rights, who, is_known=True))


def after(*happened: PersonEvent) -> PersonRights:
    return replay(happened)


def test_an_administrator_gives_any_role_until_an_instant() -> None:
    (event,) = give(ADMIN, role="auditor", teams=[TEAM], until=NINE + timedelta(days=1))

    assert isinstance(event, PersonRoleGranted)
    assert (event.grant, event.role, event.teams) == ("nadia.1", "auditor", (TEAM,))
    assert event.until == NINE + timedelta(days=1)
    assert event.by == "person:boss"


def test_what_somebody_has_is_not_given_again() -> None:
    (event,) = give(ADMIN, teams=[TEAM])
    has = after(event)

    assert give(ADMIN, has, teams=[TEAM]) == []
    assert [each.type for each in give(ADMIN, has)] == ["person.role_granted"]


def move(who: Giver, has: PersonRights, *teams: str) -> list[PersonEvent]:
    command = MovePerson(person="nadia", grant="nadia.1", teams=teams)
    return list(moved(command, has, who))


def test_a_role_moves_to_another_team_with_its_end_and_who_may_withdraw_it() -> None:
    until = NINE + timedelta(days=1)
    (event,) = give(ADMIN, teams=[TEAM], until=until)
    imported = event.model_copy(update={"imported": True})
    gone, new = move(ADMIN, after(imported), OTHER_TEAM)

    assert gone.type == "person.role_withdrawn"
    assert isinstance(new, PersonRoleGranted)
    assert (new.grant, new.teams, new.until) == ("nadia.3", (OTHER_TEAM,), until)
    assert new.imported
    assert move(ADMIN, after(event), TEAM) == []


def test_nobody_moves_a_role_out_of_or_into_what_they_may_not_give() -> None:
    (event,) = give(ADMIN, teams=[TEAM])
    for who in (manager(TEAM), manager(OTHER_TEAM), giver("agent"), giver("auditor")):
        with pytest.raises(Refused):
            move(who, after(event), OTHER_TEAM)
    with pytest.raises(Refused, match="own rights"):
        move(giver("admin", by="nadia"), after(event), OTHER_TEAM)
    with pytest.raises(Refused, match="nowhere"):
        move(ADMIN, after(event), "nowhere")

    assert move(manager(TEAM, OTHER_TEAM), after(event), OTHER_TEAM)


def test_a_role_ends_by_itself() -> None:
    (event,) = give(ADMIN, until=NINE + timedelta(hours=1))
    has = after(event)

    assert len(has.in_force(NINE)) == 1
    assert has.in_force(NINE + timedelta(hours=1)) == []


def manager(*teams: str) -> Giver:
    return giver("manager", limits={"manager": (Limits(teams=frozenset(teams)),)})


def test_a_manager_gives_the_role_of_an_agent_in_their_own_teams() -> None:
    by_policy = giver("manager", by=POLICY.teams[TEAM].manager)

    assert give(manager(TEAM), teams=[TEAM])
    assert give(by_policy, teams=[TEAM])


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (manager(TEAM), {"teams": [OTHER_TEAM]}),
        (manager(TEAM), {"teams": [TEAM, OTHER_TEAM]}),
        (manager(TEAM), {}),
        (manager(TEAM), {"role": "manager", "teams": [TEAM]}),
        (giver("manager", by="nobody"), {"teams": [TEAM]}),
        (giver("agent"), {"teams": [TEAM]}),
        (giver("admin", limits={"admin": (Limits(frozenset([CLIENT])),)}), {}),
        (giver("admin", by="nadia"), {"role": "agent"}),
        (
            giver("manager", by="nadia", limits=dict(manager(TEAM).limits)),
            {"teams": [TEAM]},
        ),
    ],
)
def test_nobody_gives_more_than_they_have_nor_to_themselves(
    who: Giver, said: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as no:
        give(who, **said)

    assert no.value.code == "role"


def test_somebody_with_two_roles_gives_as_the_one_that_may() -> None:
    """The limits of a role are its own: being an agent elsewhere gives nothing."""
    who = giver(
        "manager",
        "agent",
        limits={
            "manager": (Limits(teams=frozenset([TEAM])),),
            "agent": (Limits(teams=frozenset([OTHER_TEAM])),),
        },
    )

    assert give(who, teams=[TEAM])
    with pytest.raises(Refused):
        give(who, teams=[OTHER_TEAM])


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"teams": ["nowhere"]}, "no team `nowhere`"),
        ({"services": ["nothing"]}, "no service `nothing`"),
        ({"clients": ["nobody"]}, "no client `nobody`"),
        ({"role": "client"}, "name it in `clients`"),
        ({"until": NINE}, "name an instant to come"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any], because: str) -> None:
    with pytest.raises(Refused, match=because):
        give(ADMIN, **said)


def test_who_is_not_in_the_directory_is_given_nothing() -> None:
    command = GrantRole(person="nadia", role="agent")

    with pytest.raises(Refused) as no:
        granted(command, NOTHING, ADMIN, is_known=False)

    assert no.value.code == "unknown_person"


def test_a_role_is_withdrawn_once_by_somebody_who_may_give_it() -> None:
    (event,) = give(ADMIN, teams=[TEAM])
    command = WithdrawRole(person="nadia", grant="nadia.1", reason="Left the team")

    (gone,) = withdrawn(command, after(event), manager(TEAM))

    left = after(event, gone)
    assert left.in_force(NINE) == []
    with pytest.raises(Refused) as no:
        withdrawn(command, left, ADMIN)
    assert no.value.code == "unknown_grant"
    with pytest.raises(Refused):
        withdrawn(command, after(event), manager(OTHER_TEAM))


def test_a_removal_ends_every_role_and_a_new_one_brings_back() -> None:
    (event,) = give(ADMIN)
    command = RemovePerson(person="nadia")

    (gone,) = removed(command, after(event), ADMIN, is_known=True)
    left = after(event, gone)

    assert (left.removed, left.in_force(NINE)) == (True, [])
    assert removed(command, left, ADMIN, is_known=True) == ()
    by_import = after(event, gone.model_copy(update={"imported": True}))
    assert removed(command, by_import, ADMIN, is_known=True) == (gone,)
    (back,) = give(ADMIN, left)
    assert not after(event, gone, back).removed


@pytest.mark.parametrize(
    "who",
    [
        manager(TEAM),
        giver("admin", limits={"admin": (Limits(frozenset([CLIENT])),)}),
        giver("admin", by="nadia"),
    ],
)
def test_only_another_administrator_without_limits_removes(who: Giver) -> None:
    with pytest.raises(Refused):
        removed(RemovePerson(person="nadia"), NOTHING, who, is_known=True)


@given(LIMITS, LIMITS, st.tuples(*[st.sampled_from("abcd")] * 3))
def test_limits_include_only_what_they_cover(
    wide: Limits, narrow: Limits, place: Sequence[str]
) -> None:
    client, service, team = place

    assert EVERYTHING.includes(narrow)
    assert narrow == EVERYTHING or not narrow.includes(EVERYTHING)
    if wide.includes(narrow) and narrow.covers(client, service, team):
        assert wide.covers(client, service, team)
