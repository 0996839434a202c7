"""Whoever solves it above N1 is asked how N1 could, and N1 names the note it used."""

import pytest

from shared.domain import events
from shared.domain.commands.incident import NoteSolution, Resolve
from shared.domain.incident import replay
from tests.unit.intake.commands.scenario import (
    INC,
    OTHER,
    Given,
    event,
    given,
    reported,
)

HOW = "Restart the gate from the console"
restored = event(events.IncidentRestored)
past = (reported(), event(events.IncidentAcknowledged), restored)
noted = event(events.IncidentSolutionNoted, service="billetterie", note=HOW)
asking = event(events.IncidentResolved, cycle=1, level="n2", asks_for_solution=True)
other = (reported(incident=OTHER), noted.model_copy(update={"incident": OTHER}))


def at_n2(*more: events.IncidentEvent) -> Given:
    return given(*past, *more).with_helper("exploitation")


def test_resolving_above_n1_asks_for_a_solution_note() -> None:
    at_n2().when(Resolve()).then(asking)


def test_so_does_resolving_where_it_was_given_to_a_team_above_n1() -> None:
    to_editor = event(events.IncidentAssigned, team="editeur")

    given(*past, to_editor).when(Resolve()).then(
        event(events.IncidentResolved, cycle=1, level="n3", asks_for_solution=True)
    )


def test_resolving_at_n1_asks_for_nothing() -> None:
    given(*past).when(Resolve()).then(event(events.IncidentResolved, cycle=1))


def test_a_note_given_at_resolution_answers_at_once() -> None:
    at_n2().when(Resolve(solution_note=HOW)).then(
        event(events.IncidentResolved, cycle=1, level="n2"), noted
    )


@pytest.mark.parametrize("wish", [Resolve(), Resolve(solution_note=HOW)])
def test_what_has_a_note_is_not_asked_for_it_again(wish: Resolve) -> None:
    reopened = event(
        events.IncidentReopened, cycle=2, cause="agent", after_closure=False
    )
    back = (asking, noted, reopened, event(events.IncidentAcknowledged), restored)

    at_n2(*back).when(wish).then(event(events.IncidentResolved, cycle=2, level="n2"))


def test_a_note_can_be_given_later_and_replaced_and_is_its_authors() -> None:
    (event_,) = at_n2(asking).when(NoteSolution(note=HOW)).events()

    assert event_.whose == "person:odette"
    given(*past, asking, noted).when(NoteSolution(note=HOW)).then()
    given(*past, asking, noted).when(NoteSolution(note="Wait")).then(
        noted.model_copy(update={"note": "Wait"})
    )


def test_a_note_is_of_something_that_was_solved() -> None:
    wish = NoteSolution(note=HOW)
    cancelled = event(events.IncidentCancelled, reason="test")

    given(*past).when(wish).then_refused("resolve it first")
    given(*past, cancelled).when(wish).then_refused("nothing was solved")


def test_whoever_used_a_note_names_it() -> None:
    given(*past).beside(*other).when(Resolve(solution=OTHER)).then(
        event(events.IncidentResolved, cycle=1, solution=OTHER)
    )


def test_solving_it_above_n1_by_a_note_that_exists_asks_for_no_other() -> None:
    at_n2().beside(*other).when(Resolve(solution=OTHER)).then(
        event(events.IncidentResolved, cycle=1, level="n2", solution=OTHER)
    )


@pytest.mark.parametrize("history", [(), (reported(incident=OTHER),)])
def test_a_note_that_does_not_exist_is_refused(
    history: tuple[events.IncidentEvent, ...],
) -> None:
    given(*past).beside(*history).when(Resolve(solution=OTHER)).then_refused(
        f"{OTHER} has no solution note", "invalid"
    )


@pytest.mark.parametrize("history", [past, (*past, noted)])
def test_no_incident_is_solved_by_its_own_note(
    history: tuple[events.IncidentEvent, ...],
) -> None:
    itself = given(*history).beside(*history)

    itself.when(Resolve(solution=INC)).then_refused("its own solution", "invalid")


def test_a_note_is_asked_for_until_it_is_given_or_the_incident_comes_back() -> None:
    reopened = event(
        events.IncidentReopened, cycle=2, cause="agent", after_closure=False
    )

    def asks(*history: events.IncidentEvent) -> bool:
        incident = replay([*past, asking, *history])
        assert incident
        return incident.asks_for_solution

    assert asks()
    assert not asks(noted)
    assert not asks(reopened)
