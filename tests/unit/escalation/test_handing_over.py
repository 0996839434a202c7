"""An incident that broke its promise is handed over to Problem Management, once."""

from datetime import timedelta

from shared.events.handover import HandoverRequested
from shared.events.problem import ProblemIdentified, ProblemIncidentLinked
from tests.support.escalating import Search
from tests.support.promises import INCIDENT, local, valmont

PROBLEM = {"problem": "PRB-000002", "incident": INCIDENT}
NEW = {
    **PROBLEM,
    "title": "Wrong totals",
    "service": "paie",
    "team": "problem",
    "origin": "incident",
}


def broken(**words: object) -> Search:
    search = Search(**words)  # type: ignore[arg-type] # of the search
    search.opened("09:10", reporter=None)
    search.breached("16:10")
    return search


def said(search: Search) -> list[str]:
    return [each.type for each in search.said if each.type.startswith("handover.")]


def request(search: Search) -> HandoverRequested:
    (found,) = [each for each in search.said if isinstance(each, HandoverRequested)]
    return found


def test_a_breach_of_ttr_is_handed_over_once() -> None:
    search = broken()
    search.breached("16:20", cycle=2)

    assert said(search) == ["handover.requested"]
    assert request(search).breached_at == local("16:10")
    assert request(search).team == "problem"


def test_no_other_target_is_handed_over() -> None:
    search = Search()
    search.opened("09:10")
    search.breached("09:40", target="tto")
    search.breached("11:10", target="update")

    assert said(search) == []


def test_a_policy_without_problem_management_hands_nothing_over() -> None:
    search = broken(policy=valmont(("handover_on: [ttr_breach]", "handover_on: []")))

    assert said(search) == []


def test_an_open_problem_of_the_service_is_named() -> None:
    assert request(broken(problem="PRB-000002")).problem == "PRB-000002"


def test_a_problem_found_by_it_accepts_the_handover() -> None:
    search = broken()

    assert search.happens("16:22", ProblemIdentified, **NEW) == ["handover.accepted"]
    assert search.happens("16:23", ProblemIncidentLinked, **PROBLEM) == []


def test_a_link_to_a_known_problem_joins_it() -> None:
    search = broken()

    assert search.happens("16:22", ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined"
    ]


def test_what_was_linked_before_the_breach_has_joined_at_once() -> None:
    search = Search()
    search.opened("09:10", reporter=None)
    search.happens("10:00", ProblemIncidentLinked, **PROBLEM)
    search.breached("16:10")

    assert said(search) == ["handover.requested", "handover.joined"]
    assert request(search).problem == "PRB-000002"


def test_unanswered_it_says_so_once_and_may_be_answered_later() -> None:
    search = Search()
    search.opened("09:10", reporter=None)
    search.breached("16:25", breached_at=local("16:10"))

    assert request(search).answer_by == local("16:25") + timedelta(minutes=30)
    assert "handover.unanswered" not in search.passes("16:54")
    assert "handover.unanswered" in search.passes("16:55")
    assert "handover.unanswered" not in search.passes("07-04 18:00")
    assert search.happens("07-05 09:00", ProblemIdentified, **NEW) == [
        "handover.accepted"
    ]


def test_problem_management_is_told() -> None:
    search = Search(webhook=True)
    search.opened("09:10", reporter=None)

    assert [line for line in search.breached("16:10") if "handover" in line] == [
        "handover to problem",
        "handover → helene",
        "handover → webhook",
    ]
