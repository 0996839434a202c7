"""A service that breaks its promises too often is handed to Problem Management."""

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from services.escalation.rules.budget import Broken, Crossing
from services.escalation.rules.case import Case
from shared.domain import events
from tests.support.builders.escalation import Search, brief
from tests.support.builders.promises import INCIDENT, local

BEFORE = (
    Broken(local("05 15:00"), "INC-000003", 7_200),
    Broken(local("12 15:00"), "INC-000006", 7_200),
)
THIRD = Crossing("paie", (*BEFORE, Broken(local("16:10"), INCIDENT, None)))
PROBLEM = {"problem": "PRB-000002", "incident": INCIDENT}
UNLINK = {**PROBLEM, "relation": "problem"}
OTHER_SIDE = {"target": "PRB-000002", "relation": "problem"}
SERVICE_JOINED = events.ServiceHandoverJoined
NEW = {
    **PROBLEM,
    "title": "Wrong totals",
    "service": "paie",
    "team": "problem",
    "origin": "incident",
}


def broken(**words: Any) -> Search:
    search = Search(**({"crossing": THIRD} | words))
    search.opened("09:10", reporter=None)
    search.breached("16:10")
    return search


def said(search: Search) -> list[str]:
    own = "handover.service_"
    return [
        each.type.removeprefix(own) for each in search.said if each.type.startswith(own)
    ]


def declined() -> events.HandoverDeclined:
    return events.HandoverDeclined(
        incident=INCIDENT, at=local("16:30"), by="person:helene", reason="No problem"
    )


def of(search: Search, kind: type[events.AnyEvent]) -> Any:
    (found,) = [each for each in search.said if isinstance(each, kind)]
    return found


def test_the_breach_that_is_one_too_many_hands_the_service_over_with_all_of_them() -> (
    None
):
    request = of(broken(), events.ServiceHandoverRequested)

    assert (request.service, request.team, request.cause) == (
        "paie",
        "problem",
        "breaches",
    )
    assert (request.breaches, request.within_days) == (3, 30)
    assert request.crossed_at == local("16:10")
    assert [each.incident for each in request.counted] == [
        "INC-000003",
        "INC-000006",
        INCIDENT,
    ]
    assert request.overrun_seconds == 14_400


def test_any_other_breach_hands_no_service_over() -> None:
    assert said(broken(crossing=None)) == []


def test_it_is_asked_once_whatever_follows() -> None:
    search = broken()
    search.happens(
        "16:40",
        events.SlaOverran,
        target="ttr",
        cycle=1,
        done_at=local("16:40"),
        elapsed_seconds=23_400,
        overrun_seconds=1_800,
    )
    search.passes("07-05 18:00")

    assert said(search) == ["requested", "unanswered"]


def test_what_is_done_too_late_may_use_the_budget_up_as_well() -> None:
    search = broken(crossing=None)
    search.crossing = THIRD
    search.happens(
        "16:40",
        events.SlaOverran,
        target="ttr",
        cycle=1,
        done_at=local("16:40"),
        elapsed_seconds=23_400,
        overrun_seconds=1_800,
    )

    assert said(search) == ["requested"]
    assert of(search, events.ServiceHandoverRequested).crossed_at == local("16:40")


def test_it_joins_the_open_problem_of_the_service_at_once() -> None:
    search = broken(problems=("PRB-000002",))

    assert said(search) == ["requested", "joined"]
    assert of(search, events.ServiceHandoverRequested).problem == "PRB-000002"


def test_of_several_open_problems_of_the_service_it_joins_none() -> None:
    search = broken(problems=("PRB-000002", "PRB-000005"))

    assert said(search) == ["requested"]
    asked = of(search, events.ServiceHandoverRequested)
    assert (asked.problem, asked.proposed) == (None, ("PRB-000002", "PRB-000005"))


def test_the_problem_found_for_the_incident_is_the_service_s_too() -> None:
    search = broken()

    assert search.happens("16:22", events.ProblemIdentified, **NEW) == [
        "handover.accepted",
        "handover.service_joined",
    ]
    assert search.happens("16:23", events.ProblemIncidentLinked, **PROBLEM) == []


def test_a_problem_found_when_the_incident_was_declined_accepts_the_service() -> None:
    search = broken()
    search.desk.record(declined())

    assert search.happens("16:35", events.ProblemIdentified, **NEW) == [
        "handover.service_accepted"
    ]


def test_an_answer_that_is_undone_is_given_anew() -> None:
    search = broken()
    search.desk.record(declined())
    search.happens("16:35", events.ProblemIdentified, **NEW)

    assert search.happens("16:40", events.ProblemIncidentUnlinked, **UNLINK) == [
        "handover.service_reopened"
    ]
    again = of(search, events.ServiceHandoverReopened)
    assert (again.service, again.problem) == ("paie", "PRB-000002")
    assert again.answer_by == local("17:10")
    assert search.happens("16:40", events.IncidentUnlinked, **OTHER_SIDE) == []
    assert "handover.service_unanswered" in search.passes("17:10")
    assert search.happens("17:15", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.service_joined"
    ]


def test_of_two_problems_of_its_incident_the_service_moves_to_the_one_left() -> None:
    search = broken()
    search.happens("16:22", events.ProblemIncidentLinked, **PROBLEM)
    other = PROBLEM | {"problem": "PRB-000009"}
    search.happens("16:23", events.ProblemIncidentLinked, **other)

    assert search.happens("16:30", events.ProblemIncidentUnlinked, **UNLINK) == [
        "handover.reopened",
        "handover.joined",
        "handover.service_reopened",
        "handover.service_joined",
    ]
    joined = [each for each in search.said if isinstance(each, SERVICE_JOINED)]
    assert [each.problem for each in joined] == ["PRB-000002", "PRB-000009"]


def test_that_the_incident_is_no_part_of_the_problem_leaves_the_service_in_it() -> None:
    search = broken(problems=("PRB-000002",))

    assert search.happens("16:30", events.ProblemIncidentUnlinked, **UNLINK) == [
        "handover.reopened"
    ]
    search.happens("16:31", events.ProblemIncidentLinked, **PROBLEM)
    assert "handover.service_reopened" in search.happens(
        "16:32", events.ProblemIncidentUnlinked, **UNLINK
    )


def test_an_answer_that_an_earlier_version_kept_is_undone_with_the_last_link() -> None:
    search = broken()
    search.happens("16:22", events.ProblemIncidentLinked, **PROBLEM)
    kept = TypeAdapter(Case).dump_python(search.case, mode="json")
    for fresh in ("joined", "undone"):
        del kept["service_handover"][fresh]
    search.desk.case = TypeAdapter(Case).validate_python(kept)

    assert "handover.service_reopened" in search.happens(
        "16:30", events.ProblemIncidentUnlinked, **UNLINK
    )


def test_unanswered_it_says_so_once_and_may_be_answered_later() -> None:
    search = broken()

    request = of(search, events.ServiceHandoverRequested)
    assert request.answer_by == local("16:10") + timedelta(minutes=30)
    assert "handover.service_unanswered" not in search.passes("16:39")
    assert "handover.service_unanswered" in search.passes("16:40")
    assert search.happens("07-05 09:00", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined",
        "handover.service_joined",
    ]


def test_problem_management_is_told() -> None:
    search = broken(webhook=True)

    told = [line for line in map(brief, search.said) if line.startswith("service_h")]
    assert told == ["service_handover → helene", "service_handover → webhook"]
