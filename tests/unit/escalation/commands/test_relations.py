"""Whose a command is to say: the table, and what those who may not say it are told."""

from dataclasses import replace

import pytest

from services.escalation.commands import decide_command
from shared.domain import events
from shared.domain.commands import escalation
from shared.domain.commands.escalation import Accept, Decline, EscalationCommand
from shared.domain.incident.possible import EFFECTS, EXTENSIONS
from shared.domain.incident.relations import RULES
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, VALMONT, applied, local, valmont

_NEXT_IS_KARIM = ("page: {who: next}", "page: {person: karim}")
OTHER_TEAM_PAGED = valmont(_NEXT_IS_KARIM)
"""With a step that pages somebody of another team."""


def at_n2(policy: Policy = VALMONT) -> Search:
    """Return a search that paged Bruno at 09:30 and whom else the policy says."""
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:45")
    return search


def says(
    search: Search, who: str, command: EscalationCommand, later: Policy | None = None
) -> list[str]:
    """Return what somebody's command decides; `later` is the policy in force now."""
    request = CommandRequest[EscalationCommand](
        incident=INCIDENT, actor=who, scopes=("agent",), body=command
    )
    known = replace(search.desk.known, newest_policy=lambda: later)
    decided = decide_command(request, search.case, local("09:50"), known)
    return [event.type for event in decided]


def without(name: str) -> Policy:
    """Return the policy after somebody has left support."""
    left = VALMONT.teams["support"].model_copy(update={"members": ("amina",)})
    assert name in VALMONT.teams["support"].members
    return VALMONT.model_copy(update={"teams": {**VALMONT.teams, "support": left}})


def test_each_verb_has_a_row() -> None:
    assert {*RULES} == {*EFFECTS, EXTENSIONS, *escalation.BODIES}


@pytest.mark.parametrize(
    "who", ["person:nadia", "person:paul", "person:karim", "person:no-team", "source:x"]
)
def test_who_is_neither_of_the_team_nor_was_paged_accepts_nothing(who: str) -> None:
    search = at_n2()

    with pytest.raises(Refused, match="only support, its manager and those") as no:
        says(search, who, Accept())
    assert no.value.code == "role"
    assert search.passes("10:00") == ["10:00 page sylvie", "page → sylvie"]


@pytest.mark.parametrize(
    ("who", "policy"),
    [
        ("amina", VALMONT),  # a member whom nobody paged
        ("sylvie", VALMONT),  # the manager
        ("karim", OTHER_TEAM_PAGED),
    ],
)
def test_the_team_its_manager_and_who_was_paged_accept(
    who: str, policy: Policy
) -> None:
    assert says(at_n2(policy), f"person:{who}", Accept()) == ["escalation.accepted"]


def test_who_joined_or_left_the_team_since_it_was_opened_may_help() -> None:
    joined = valmont((", chloe], manager", ", chloe, karim], manager"))

    assert says(at_n2(), "person:karim", Accept(), joined) == ["escalation.accepted"]
    for left in ("bruno", "chloe"):
        found = says(at_n2(), f"person:{left}", Accept(), without(left))
        assert found == ["escalation.accepted"]


def test_who_was_paged_before_an_acknowledgement_lapsed_may_still_accept() -> None:
    search = at_n2(
        valmont(
            _NEXT_IS_KARIM,
            ("acknowledged_for: 4h ", "acknowledged_for: 40m "),
        )
    )
    search.happens("09:46", events.IncidentAcknowledged, by="person:bruno")
    search.passes("10:26")

    assert "karim" in search.case.post.asked_before
    assert says(search, "person:karim", Accept()) == ["escalation.accepted"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (events.IncidentAcknowledged, {"by": "person:karim"}),
        (events.IncidentAssigned, {"team": "support", "assignee": "karim"}),
    ],
)
@pytest.mark.parametrize("is_paged", [True, False])
def test_who_takes_it_on_or_is_given_it_accepts_if_they_were_paged(
    kind: type[events.AnyEvent], words: dict[str, object], *, is_paged: bool
) -> None:
    search = at_n2(applied(OTHER_TEAM_PAGED if is_paged else VALMONT))
    search.happens("09:50", kind, **words)

    assert search.case.post.accepted_by == ("karim" if is_paged else None)


def test_under_a_policy_that_was_applied_before_only_people_of_the_team_do() -> None:
    search = at_n2(OTHER_TEAM_PAGED)
    search.happens("09:50", events.IncidentAcknowledged, by="person:karim")

    assert search.case.post.accepted_by is None


@pytest.mark.parametrize("who", ["helene", "sylvie"])
def test_the_team_that_a_hand_over_asks_declines_it(who: str) -> None:
    assert says(handed_over(), f"person:{who}", Decline(reason="Ours")) == [
        "handover.declined"
    ]


@pytest.mark.parametrize("who", ["person:nadia", "person:bruno", "system:escalation"])
def test_nobody_else_declines_it(who: str) -> None:
    with pytest.raises(Refused, match="only problem and its manager") as no:
        says(handed_over(), who, Decline(reason="Not mine"))
    assert no.value.code == "role"


def handed_over() -> Search:
    search = Search()
    search.opened("09:10", reporter=None)
    search.breached("16:10")
    return search
