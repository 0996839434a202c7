"""Giving an incident to a team or to one of its people."""

import pytest

from shared.domain.commands.incident import Assign, Return
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentReopened,
    IncidentResolved,
)
from tests.unit.intake.commands.scenario import Given, event, given, opened

to_tariq = event(IncidentAssigned, team="exploitation", assignee="tariq")


def test_it_goes_to_a_team_and_a_person() -> None:
    wish = Assign(team="exploitation", assignee="tariq")

    given(opened()).when(wish).then(to_tariq)


def test_the_team_stays_where_only_a_person_is_named() -> None:
    given(opened()).when(Assign(assignee="wim")).then(
        event(IncidentAssigned, team="accueil", assignee="wim")
    )


def test_a_team_without_a_person_takes_it_from_the_person() -> None:
    given(opened(), to_tariq).when(Assign(team="exploitation")).then(
        event(IncidentAssigned, team="exploitation")
    )


def test_giving_it_to_who_has_it_changes_nothing() -> None:
    wish = Assign(team="exploitation", assignee="tariq")

    given(opened(), to_tariq).when(wish).then()


def test_somebody_must_be_named() -> None:
    given(opened()).when(Assign()).then_refused("say whom", "invalid")


def test_an_unknown_person_is_refused() -> None:
    wish = Assign(assignee="Amina")

    given(opened()).when(wish).where_unknown("Amina").then_refused(
        "nobody here has the id `Amina`: look them up", "unknown_assignee"
    )


@pytest.mark.parametrize("known_otherwise", ["wim", "odette"])
def test_a_member_of_a_team_and_the_caller_need_no_entry_in_the_directory(
    known_otherwise: str,
) -> None:
    wish = Assign(assignee=known_otherwise)

    given(opened()).when(wish).where_unknown(known_otherwise).then(
        event(IncidentAssigned, team="accueil", assignee=known_otherwise)
    )


def test_who_has_it_keeps_it_after_they_left() -> None:
    wish = Assign(team="exploitation", assignee="tariq")

    given(opened(), to_tariq).when(wish).where_unknown("tariq").then()


def test_an_unknown_team_is_refused() -> None:
    given(opened()).when(Assign(team="fax")).then_refused(
        "choose one of accueil, causes", "invalid"
    )


def test_a_resolved_incident_is_not_assigned() -> None:
    resolved = event(IncidentResolved, cycle=1)

    given(opened(), resolved).when(Assign(assignee="wim")).then_refused("reopen it")


to_the_desk = event(
    IncidentAssigned, team="accueil", assignee="odette", reason="The proxy is fine"
)
back = Assign(team="accueil", assignee="odette", reason="The proxy is fine")
at_the_desk = event(IncidentAssigned, team="accueil", assignee="odette")


def escalated(*since: IncidentEvent) -> Given:
    """Return an incident of Odette's that went to N2."""
    return given(opened(), at_the_desk, *since).with_helper("exploitation", "tariq")


def test_what_was_escalated_is_not_with_the_desk_already() -> None:
    escalated().when(back).then(to_the_desk)


def test_who_has_it_is_given_it_again_once_their_taking_it_on_lapsed() -> None:
    wish = Assign(team="exploitation", assignee="tariq")
    accepted = given(opened(), to_tariq).with_helper("exploitation", "tariq")

    accepted.when(wish).then()
    accepted.and_lapsed_since().when(wish).then(to_tariq)


def test_it_goes_back_only_with_a_reason() -> None:
    escalated().when(Assign(team="accueil", assignee="odette")).then_refused(
        "is at n2: say in `reason` why it goes back to accueil", "invalid"
    )


def test_what_went_back_is_with_the_desk_even_before_the_escalation_knows() -> None:
    waiting = escalated(to_the_desk).and_given_since()

    waiting.when(back).then()
    given(opened(), at_the_desk).with_helper("accueil", level="n1").when(back).then()


def test_a_person_is_given_it_in_the_team_that_has_it() -> None:
    escalated().when(Assign(assignee="ines")).then(
        event(IncidentAssigned, team="exploitation", assignee="ines")
    )


def test_after_a_climb_it_may_go_back_to_a_team_that_was_given_it_before() -> None:
    higher = given(opened(), to_tariq).with_helper("editeur", level="n3")
    wish = Assign(team="exploitation", assignee="tariq", reason="No fault of ours")

    higher.when(wish).then(
        event(
            IncidentAssigned,
            team="exploitation",
            assignee="tariq",
            reason="No fault of ours",
        )
    )


def test_reopened_it_is_given_anew_to_the_team_that_had_it() -> None:
    over = event(IncidentResolved, cycle=1)
    again = event(IncidentReopened, cycle=2, cause="user", after_closure=False)
    wish = Assign(team="exploitation", assignee="tariq")

    given(opened(), to_tariq, over, again).when(wish).then(to_tariq)


def test_a_team_without_a_level_leaves_it_where_it_is() -> None:
    escalated().when(Assign(team="causes")).then(event(IncidentAssigned, team="causes"))


@pytest.mark.parametrize(
    ("team", "level", "wish", "goes_to"),
    [
        ("exploitation", "n2", Return(reason="Ours"), "accueil"),
        ("editeur", "n3", Return(reason="Ours"), "accueil"),
        ("editeur", "n3", Return(reason="Ours", team="exploitation"), "exploitation"),
    ],
)
def test_it_is_returned_to_the_desk_or_a_team_below(
    team: str, level: str, wish: Return, goes_to: str
) -> None:
    held = given(opened()).with_helper(team, level=level)  # type: ignore[arg-type] # a level

    held.when(wish).then(event(IncidentAssigned, team=goes_to, reason="Ours"))


def test_it_is_returned_to_the_desk_of_today_if_the_policy_dropped_its_own() -> None:
    held = given(opened(team="ancien")).with_helper("exploitation")

    held.when(Return(reason="Ours")).then(
        event(IncidentAssigned, team="accueil", reason="Ours")
    )


def test_what_is_given_up_at_once_is_returned_at_once() -> None:
    given(opened(), to_tariq).when(Return(reason="Ours")).then(
        event(IncidentAssigned, team="accueil", reason="Ours")
    )


def test_what_is_with_the_desk_is_returned_already() -> None:
    given(opened()).when(Return(reason="Ours")).then()


def test_nothing_is_returned_upwards_or_across() -> None:
    for team in ("editeur", "causes"):
        escalated().when(Return(reason="x", team=team)).then_refused("not below that")
    escalated().when(Return(reason="x", team="fax")).then_refused(
        "choose one of", "invalid"
    )


@pytest.mark.parametrize(
    ("assignee", "flagged"), [("tariq", None), ("jos", ("jos",)), ("wim", ("wim",))]
)
def test_who_is_not_named_for_the_service_is_flagged_and_never_refused(
    assignee: str, flagged: tuple[str, ...] | None
) -> None:
    (event,) = (
        given(opened()).when(Assign(team="exploitation", assignee=assignee)).events()
    )

    assert isinstance(event, IncidentAssigned)
    assert (event.assignee, event.unskilled) == (assignee, flagged)


def test_where_all_know_the_service_nobody_is_flagged() -> None:
    shown = opened(service="horaires")
    wish = Assign(team="exploitation", assignee="jos")

    given(shown).when(wish).then(
        event(IncidentAssigned, team="exploitation", assignee="jos")
    )
