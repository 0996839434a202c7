"""The small life of a problem: found, linked, given out, worked around, resolved."""

import pytest

from services.intake.records.rules import DecisionContext, decide
from shared.domain import events
from shared.domain.commands.incident import Link, Unlink
from shared.domain.commands.problem import (
    AssignProblem,
    DiagnoseProblem,
    IdentifyProblem,
    LinkProblem,
    PublishWorkaround,
    ResolveProblem,
    UnlinkProblem,
)
from shared.domain.incident import Incident, replay
from tests.unit.intake.commands.scenario import (
    INC,
    LATER,
    ODETTE,
    OTHER,
    POLICY,
    event,
    opened,
)
from tests.unit.intake.records.builders import PRB, desk, identified, of, problem

OTHER_PRB = "PRB-000099"
linked = event(events.IncidentLinked, relation="problem", target=PRB)
resolved = problem(of(events.ProblemResolved))


unlinked = event(events.IncidentUnlinked, relation="problem", target=PRB)
presumed = event(events.IncidentProblemPresumed, problem=PRB)
unsure_events = (of(events.ProblemIncidentPresumed, incident=INC),)
unsure = problem(*unsure_events)
undone = (of(events.ProblemIncidentUnlinked, incident=INC, relation="problem"),)
LINK = Link(relation="problem", target=PRB)


def incident(*later: events.IncidentEvent) -> Incident:
    made = replay([opened(), *later])
    assert made is not None
    return made


def test_it_is_identified_by_an_incident_and_both_know() -> None:
    wish = IdentifyProblem(title="Tickets are lost", incident=INC)

    assert desk(incident()).wishes(PRB, wish) == [
        identified(origin="incident", incident=INC),
        linked,
    ]


def test_who_was_second_to_find_its_cause_is_told_of_the_first() -> None:
    wish = IdentifyProblem(title="Tickets are lost", incident=INC, beside=())

    because = f"is part of {PRB} by now"
    desk(incident(linked)).refuses(OTHER_PRB, wish, because, "state")


def test_a_second_cause_beside_the_known_one_may_be_found() -> None:
    wish = IdentifyProblem(title="Tickets are lost", incident=INC, beside=(PRB,))

    assert len(desk(incident(linked)).wishes(OTHER_PRB, wish)) == 2


def test_staff_may_identify_one_without_an_incident() -> None:
    wish = IdentifyProblem(title="Tickets are lost", service="billetterie")

    assert desk().wishes(PRB, wish) == [identified()]


def test_without_a_service_it_is_of_an_unlisted_one() -> None:
    (event,) = desk().wishes(PRB, IdentifyProblem(title="x"))

    assert event.model_dump()["service"] == "unknown"


def test_its_words_are_under_the_key_of_who_wrote_them() -> None:
    context = DecisionContext(PRB, LATER, ODETTE, POLICY, 1)

    (first,) = decide(IdentifyProblem(title="x"), None, context)

    assert first.whose == ODETTE


def test_problem_management_gets_it_where_nobody_is_named() -> None:
    named, unnamed = (
        desk().wishes(PRB, IdentifyProblem(title="x", team=team))[0].model_dump()
        for team in ("editeur", None)
    )

    assert (named["team"], unnamed["team"]) == ("editeur", "causes")


def test_a_team_that_takes_no_problems_gets_none() -> None:
    because = "takes no problems: choose one of causes, editeur"

    desk().refuses(
        PRB, IdentifyProblem(title="x", team="exploitation"), because, "invalid"
    )
    desk(problem()).refuses(PRB, AssignProblem(team="exploitation"), because, "invalid")


def test_an_unknown_team_or_service_is_named() -> None:
    desk().refuses(PRB, IdentifyProblem(title="x", team="x"), "no team `x`", "invalid")
    wish = IdentifyProblem(title="x", service="fax")
    desk().refuses(PRB, wish, "no service `fax`", "invalid")


def test_it_is_not_found_by_an_incident_that_is_not_there() -> None:
    wish = IdentifyProblem(title="x", incident=OTHER)

    desk().refuses(PRB, wish, f"no incident {OTHER}", "unknown_target")


def test_another_incident_is_linked_on_both_sides() -> None:
    assert desk(problem(), incident()).wishes(PRB, LinkProblem(incident=INC)) == [
        of(events.ProblemIncidentLinked, incident=INC),
        linked,
    ]


def test_the_incident_may_link_it_as_well() -> None:
    wish = Link(relation="problem", target=PRB)

    assert desk(problem(), incident()).wishes(INC, wish) == [
        linked,
        of(events.ProblemIncidentLinked, incident=INC),
    ]


def test_linking_twice_changes_nothing() -> None:
    known = problem(of(events.ProblemIncidentLinked, incident=INC))
    both = desk(known, incident(linked))

    assert both.wishes(PRB, LinkProblem(incident=INC)) == []
    assert both.wishes(INC, Link(relation="problem", target=PRB)) == []


def test_a_side_that_is_missing_is_made_good() -> None:
    half = desk(problem(), incident(linked))

    assert half.wishes(PRB, LinkProblem(incident=INC)) == [
        of(events.ProblemIncidentLinked, incident=INC)
    ]


def test_what_was_merged_is_not_linked() -> None:
    merged = incident(event(events.IncidentMerged, into=OTHER))

    desk(problem(), merged).refuses(
        PRB, LinkProblem(incident=INC), f"link to {OTHER} instead", "state"
    )


def test_a_resolved_problem_may_still_be_the_cause_of_another_incident() -> None:
    gone = event(events.IncidentProblemResolved, problem=PRB)
    links = [of(events.ProblemIncidentLinked, incident=INC), linked]

    found = desk(resolved, incident()).wishes(PRB, LinkProblem(incident=INC))
    by_incident = desk(resolved, incident()).wishes(
        INC, Link(relation="problem", target=PRB)
    )

    assert found == [*links, gone]
    assert by_incident == [*reversed(links), gone]


@pytest.mark.parametrize("link", [LinkProblem(incident=INC), LINK])
def test_linking_what_is_presumed_confirms_it_on_both_sides(
    link: LinkProblem | Link,
) -> None:
    ref = PRB if isinstance(link, LinkProblem) else INC
    found = desk(unsure, incident(presumed)).wishes(ref, link)

    assert {each.type for each in found} == {
        "problem.incident_linked",
        "incident.linked",
    }
    confirmed = problem(*unsure_events, of(events.ProblemIncidentLinked, incident=INC))
    assert (confirmed.incidents, confirmed.presumed) == ((INC,), ())
    assert incident(presumed, linked).presumed_problems == frozenset()


@pytest.mark.parametrize(
    "unlink", [UnlinkProblem(incident=INC), Unlink(relation="problem", target=PRB)]
)
def test_unlinking_what_is_presumed_undoes_it_on_both_sides(
    unlink: UnlinkProblem | Unlink,
) -> None:
    ref = PRB if isinstance(unlink, UnlinkProblem) else INC
    found = desk(unsure, incident(presumed)).wishes(ref, unlink)

    assert {each.type for each in found} == {
        "problem.incident_unlinked",
        "incident.unlinked",
    }
    assert problem(*unsure_events, *undone).presumed == ()
    assert incident(presumed, unlinked).presumed_problems == frozenset()


def test_another_team_looks_for_the_cause() -> None:
    wish = AssignProblem(team="editeur")

    assert desk(problem()).wishes(PRB, wish) == [
        of(events.ProblemAssigned, team="editeur")
    ]
    assert desk(problem(team="editeur")).wishes(PRB, wish) == []


def test_another_team_is_given_the_list_of_incidents_with_it() -> None:
    known = problem(of(events.ProblemIncidentLinked, incident=INC))

    assert desk(known).wishes(PRB, AssignProblem(team="editeur")) == [
        of(events.ProblemAssigned, team="editeur", incidents=(INC,))
    ]


def test_a_workaround_is_published_once() -> None:
    published = of(events.ProblemWorkaroundPublished, workaround="Pay in cash")
    wish = PublishWorkaround(text="Pay in cash")

    assert desk(problem()).wishes(PRB, wish) == [published]
    assert desk(problem(published)).wishes(PRB, wish) == []


def test_with_cause_and_workaround_it_is_a_known_error_until_it_is_resolved() -> None:
    diagnosed = of(events.ProblemDiagnosed, cause="The queue is too short")
    published = of(events.ProblemWorkaroundPublished, workaround="Pay in cash")
    wish = DiagnoseProblem(cause="The queue is too short")

    assert desk(problem()).wishes(PRB, wish) == [diagnosed]
    assert desk(problem(diagnosed)).wishes(PRB, wish) == []
    assert not problem(diagnosed).known_error
    assert problem(diagnosed, published).known_error
    assert not problem(diagnosed, published, of(events.ProblemResolved)).known_error


def test_it_is_resolved_once() -> None:
    wish = ResolveProblem(note="A longer queue")

    assert desk(problem()).wishes(PRB, wish) == [
        of(events.ProblemResolved, note="A longer queue")
    ]
    assert (
        desk(problem(of(events.ProblemResolved, note="A longer queue"))).wishes(
            PRB, wish
        )
        == []
    )
    assert desk(resolved).wishes(PRB, ResolveProblem()) == []


def test_what_is_said_of_it_once_it_is_resolved_is_noted() -> None:
    added = of(events.ProblemNoteAdded, about="resolve", note="A longer queue")
    wish = ResolveProblem(note="A longer queue")

    assert desk(resolved).wishes(PRB, wish) == [added]
    assert desk(problem(of(events.ProblemResolved), added)).wishes(PRB, wish) == []


@pytest.mark.parametrize(
    "wish", [AssignProblem(team="editeur"), PublishWorkaround(text="x")]
)
def test_a_resolved_problem_is_not_worked_on(
    wish: AssignProblem | PublishWorkaround,
) -> None:
    desk(resolved).refuses(PRB, wish, f"{PRB} is resolved: identify a new", "state")


def test_what_is_not_there_is_not_resolved() -> None:
    desk().refuses(PRB, ResolveProblem(), f"no problem {PRB}", "unknown_problem")
