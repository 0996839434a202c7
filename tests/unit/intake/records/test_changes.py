"""The small life of a change: requested, planned, implemented or cancelled."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from shared.domain import events
from shared.domain.change import Change
from shared.domain.commands.change import (
    AssignChange,
    CancelChange,
    ChangeCommand,
    ImplementChange,
    LinkChange,
    PlanChange,
    RequestChange,
    UnlinkChange,
)
from shared.domain.commands.problem import LinkProblem, UnlinkProblem
from shared.domain.incident import Incident, replay
from tests.unit.intake.commands.scenario import INC, LATER, event, opened
from tests.unit.intake.records.builders import (
    CHG,
    PRB,
    PRB_2,
    change,
    desk,
    of,
    problem,
    requested,
)

FRIDAY, SATURDAY = LATER + timedelta(days=4), LATER + timedelta(days=5)
planned = of(events.ChangePlanned, planned_for=FRIDAY)
implemented = change(of(events.ChangeImplemented))
cancelled = change(of(events.ChangeCancelled, reason="too dear"))


def incident() -> Incident:
    made = replay([opened()])
    assert made is not None
    return made


def test_it_is_requested_because_of_an_incident_and_both_know() -> None:
    wish = RequestChange(title="Another queue", incident=INC, team="editeur")

    assert desk(incident()).wishes(CHG, wish) == [
        requested(incident=INC),
        event(events.IncidentLinked, relation="change", target=CHG),
    ]


def test_it_is_requested_because_of_a_problem_and_is_of_its_service() -> None:
    wish = RequestChange(title="Another queue", problem=PRB, team="editeur")

    assert desk(problem()).wishes(CHG, wish) == [
        requested(problem=PRB),
        of(events.ProblemChangeLinked, change=CHG),
    ]


def test_the_desk_has_it_where_no_team_is_named() -> None:
    (found,) = desk().wishes(CHG, RequestChange(title="x"))

    assert found.model_dump()["team"] == "accueil"
    assert found.model_dump()["service"] == "unknown"


@pytest.mark.parametrize(
    ("wish", "because"),
    [
        (RequestChange(title="x", incident=INC), f"no incident {INC}"),
        (RequestChange(title="x", problem=PRB), f"no problem {PRB}"),
    ],
)
def test_it_comes_of_what_is_there(wish: RequestChange, because: str) -> None:
    desk().refuses(CHG, wish, because, "unknown_target")


def test_a_team_that_takes_no_changes_gets_none() -> None:
    desk().refuses(
        CHG,
        RequestChange(title="x", team="causes"),
        "takes no changes: choose one of accueil, editeur",
        "invalid",
    )


def test_it_is_planned_and_planned_anew() -> None:
    on_saturday = PlanChange(planned_for=SATURDAY)

    assert desk(change()).wishes(CHG, PlanChange(planned_for=FRIDAY)) == [planned]
    assert desk(change(planned)).wishes(CHG, PlanChange(planned_for=FRIDAY)) == []
    assert desk(change(planned)).wishes(CHG, on_saturday) == [
        of(events.ChangePlanned, planned_for=SATURDAY)
    ]


@pytest.mark.parametrize("before", [change(), change(planned)])
def test_it_is_made_with_and_without_a_plan(before: Change) -> None:
    assert desk(before).wishes(CHG, ImplementChange(note="done")) == [
        of(events.ChangeImplemented, note="done")
    ]


def test_it_is_made_and_cancelled_once() -> None:
    assert desk(implemented).wishes(CHG, ImplementChange()) == []
    assert desk(cancelled).wishes(CHG, CancelChange(reason="too dear")) == []


@pytest.mark.parametrize(
    ("over", "wish"),
    [
        (events.ChangeImplemented, ImplementChange(note="again")),
        (events.ChangeCancelled, CancelChange(reason="again")),
    ],
)
def test_what_is_said_of_it_once_it_is_over_is_noted(
    over: type[events.ChangeImplemented | events.ChangeCancelled],
    wish: ImplementChange | CancelChange,
) -> None:
    past = of(over, reason="too dear")
    added = of(events.ChangeNoteAdded, about=wish.verb, note="again")

    assert desk(change(past)).wishes(CHG, wish) == [added]
    assert desk(change(past, added)).wishes(CHG, wish) == []


@pytest.mark.parametrize(
    ("before", "wish", "because"),
    [
        (implemented, PlanChange(planned_for=FRIDAY), "is implemented: request a new"),
        (implemented, CancelChange(reason="x"), "request a new change that undoes it"),
        (cancelled, PlanChange(planned_for=FRIDAY), "is cancelled: request a new"),
        (cancelled, ImplementChange(), "is cancelled: request a new"),
    ],
)
def test_what_is_over_stays_over(
    before: Change, wish: ChangeCommand, because: str
) -> None:
    desk(before).refuses(CHG, wish, because, "state")


def test_what_is_not_there_is_not_planned() -> None:
    desk().refuses(
        CHG, PlanChange(planned_for=FRIDAY), f"no change {CHG}", "unknown_change"
    )


def test_another_team_is_given_it_with_the_list_of_incidents() -> None:
    of_desk = change(incident=INC, team="accueil")
    wish = AssignChange(team="editeur")

    assert desk(of_desk).wishes(CHG, wish) == [
        of(events.ChangeAssigned, team="editeur", incidents=(INC,))
    ]
    assert desk(change()).wishes(CHG, wish) == []
    because = "takes no changes: choose one of"
    desk(of_desk).refuses(CHG, AssignChange(team="causes"), because, "invalid")


ON_PROBLEM = of(events.ProblemChangeLinked, change=CHG)
ON_CHANGE = of(events.ChangeProblemLinked, problem=PRB)


@pytest.mark.parametrize(
    ("ref", "link", "unlink"),
    [
        (CHG, LinkChange(problem=PRB), UnlinkChange(problem=PRB)),
        (PRB, LinkProblem(change=CHG), UnlinkProblem(change=CHG)),
    ],
)
def test_it_is_linked_to_a_problem_after_its_request_from_either_side(
    ref: str, link: LinkChange | LinkProblem, unlink: UnlinkChange | UnlinkProblem
) -> None:
    both = desk(problem(ON_PROBLEM), change(ON_CHANGE))

    assert desk(problem(), change()).wishes(ref, link) == [ON_PROBLEM, ON_CHANGE]
    assert both.wishes(ref, link) == []
    assert both.wishes(ref, unlink) == [
        of(events.ProblemChangeUnlinked, change=CHG),
        of(events.ChangeProblemUnlinked, problem=PRB),
    ]
    assert desk(problem(), change()).wishes(ref, unlink) == []


def test_one_requested_because_of_a_problem_has_its_link_already() -> None:
    both = desk(problem(ON_PROBLEM), change(problem=PRB))

    assert both.wishes(CHG, LinkChange(problem=PRB)) == []
    assert [each.type for each in both.wishes(CHG, UnlinkChange(problem=PRB))] == [
        "problem.change_unlinked",
        "change.problem_unlinked",
    ]


def test_it_solves_one_problem_that_is_there() -> None:
    of_another = desk(problem(), change(problem=PRB_2))

    because = f"is to solve {PRB_2}: unlink it there first"
    of_another.refuses(CHG, LinkChange(problem=PRB), because, "state")
    because = f"no problem {PRB}"
    desk(change()).refuses(CHG, LinkChange(problem=PRB), because, "unknown_target")
    because = f"no change {CHG}"
    desk(problem()).refuses(PRB, LinkProblem(change=CHG), because, "unknown_target")


@pytest.mark.parametrize("words", [{}, {"incident": INC, "problem": PRB}])
def test_a_link_names_one_record(words: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="an `incident` or a `problem`"):
        LinkChange.model_validate(words)
