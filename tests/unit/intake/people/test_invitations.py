"""Given the directory, when somebody is invited, then they are so (or it is a no)."""

from typing import Any

import pytest

from services.intake.directory.givers import Giver
from services.intake.people.rules import INVITATION_LASTS, Entry, invited
from shared.domain.commands.person import InvitePerson
from shared.domain.events.person import PersonEvent, PersonInvited
from shared.domain.limits import Limits
from shared.domain.person import NOTHING, PersonRights, replay
from shared.domain.refusal import Refused
from tests.unit.intake.commands.scenario import NINE, POLICY

TEAM = min(POLICY.teams)
OF_TEAM = (Limits(teams=frozenset([TEAM])),)
ADMIN = Giver("person:boss", NINE, ("admin",), {}, POLICY)
LIMITED_ADMIN = Giver("person:boss", NINE, ("admin",), {"admin": OF_TEAM}, POLICY)
MANAGER = Giver("person:boss", NINE, ("manager",), {"manager": OF_TEAM}, POLICY)
AGENT = Giver("person:boss", NINE, ("agent",), {}, POLICY)
MAIL = "nadia@desk.example"


def invite(
    who: Giver, *known: Entry, has: PersonRights = NOTHING, **said: Any
) -> list[PersonEvent]:
    body = {"person": "nadia", "name": "Nadia", "email": MAIL, "role": "agent"}
    command = InvitePerson.model_validate({**body, "teams": [TEAM], **said})
    return list(invited(command, has, who, known))


@pytest.mark.parametrize("known", [(), (Entry("nadia", "Nadia@Desk.example"),)])
def test_who_is_new_or_has_the_address_gets_a_role_and_a_link(
    known: tuple[Entry, ...],
) -> None:
    role, link = invite(MANAGER, *known)

    assert role.type == "person.role_granted"
    assert isinstance(link, PersonInvited)
    assert link.until == NINE + INVITATION_LASTS


def test_who_has_the_role_gets_another_link_only() -> None:
    role, _ = invite(ADMIN)
    has = replay([role])

    assert [each.type for each in invite(ADMIN, has=has)] == ["person.invited"]


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (Entry("nadia", "other@desk.example"), "other_address"),
        (Entry("root", MAIL), "address_taken"),
        (Entry("root", MAIL.upper()), "address_taken"),
    ],
)
def test_a_link_is_never_mailed_to_an_address_that_is_not_theirs(
    known: Entry, code: str
) -> None:
    with pytest.raises(Refused) as no:
        invite(ADMIN, known)
    assert no.value.code == code


def test_only_an_administrator_gives_an_address_to_somebody_who_has_none() -> None:
    for who in (MANAGER, LIMITED_ADMIN):
        with pytest.raises(Refused):
            invite(who, Entry("nadia", None))

    assert invite(ADMIN, Entry("nadia", None))


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (AGENT, {}),
        (MANAGER, {"role": "admin"}),
        (MANAGER, {"teams": None}),
        (LIMITED_ADMIN, {"role": "auditor", "teams": None}),
        (ADMIN, {"person": "boss"}),
        (ADMIN, {"teams": ["nowhere"]}),
    ],
)
def test_an_invitation_gives_nothing_that_its_sender_may_not_give(
    who: Giver, said: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        invite(who, **said)
