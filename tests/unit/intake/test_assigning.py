"""Giving an incident to a team or to one of its people."""

from shared.events.incident import IncidentAssigned, IncidentResolved
from shared.wishes import Assign

from .spec import event, given, opened

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


def test_an_unknown_team_is_refused() -> None:
    given(opened()).when(Assign(team="fax")).then_refused(
        "choose one of accueil, causes", "invalid"
    )


def test_a_resolved_incident_is_not_assigned() -> None:
    resolved = event(IncidentResolved, cycle=1)

    given(opened(), resolved).when(Assign(assignee="wim")).then_refused("reopen it")
