"""An incident that broke its promise is handed over to Problem Management, once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from services.escalation.rules.case import Case
from services.escalation.rules.context import PROPOSED_MAX
from shared.domain import events
from tests.support.builders.escalation import Search, brief
from tests.support.builders.promises import INCIDENT, local, valmont

PROBLEM = {"problem": "PRB-000002", "incident": INCIDENT}
RELATION = {"relation": "problem"}
LINK = {"target": "PRB-000002", **RELATION}
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


def joins(search: Search) -> list[tuple[str, str | None, bool]]:
    return [
        (each.problem, each.matched, each.to_be_confirmed)
        for each in search.said
        if isinstance(each, events.HandoverJoined)
    ]


def request(search: Search) -> events.HandoverRequested:
    (found,) = [
        each for each in search.said if isinstance(each, events.HandoverRequested)
    ]
    return found


def taken_out(search: Search, when: str, problem: str = "PRB-000002") -> list[str]:
    """Unlink it from a problem, on both sides; return what follows."""
    own = {"incident": INCIDENT, "problem": problem, **RELATION}
    side = search.happens(when, events.ProblemIncidentUnlinked, **own)
    again = search.happens(when, events.IncidentUnlinked, target=problem, **RELATION)
    return [*side, *again]


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


def test_of_the_same_kind_it_joins_the_open_problem_at_once() -> None:
    search = broken(alike_problems=("PRB-000002",), problems=("PRB-000002",))

    assert said(search) == ["handover.requested", "handover.joined"]
    assert (request(search).problem, request(search).matched) == (
        "PRB-000002",
        "signature",
    )
    assert joins(search) == [("PRB-000002", "signature", False)]


def test_of_the_same_service_alone_it_joins_and_is_to_be_confirmed() -> None:
    search = broken(problems=("PRB-000002",))

    assert joins(search) == [("PRB-000002", "service", True)]
    assert search.passes("07-05 18:00") == []


def test_where_several_match_none_is_joined_and_all_are_proposed() -> None:
    search = broken(problems=("PRB-000002", "PRB-000005"))

    assert said(search) == ["handover.requested"]
    assert request(search).problem is None
    assert request(search).proposed == ("PRB-000002", "PRB-000005")


def test_a_person_confirms_it_by_the_link() -> None:
    search = broken(problems=("PRB-000002",))

    assert search.happens("16:22", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined"
    ]
    assert joins(search)[-1] == ("PRB-000002", None, False)
    assert search.happens("16:22", events.IncidentLinked, **LINK) == []


def test_a_person_may_find_another_problem_or_none_instead() -> None:
    accepted, declined = (broken(problems=("PRB-000002",)) for _ in range(2))

    other = NEW | {"problem": "PRB-000009"}
    assert accepted.happens("16:22", events.ProblemIdentified, **other) == [
        "handover.accepted"
    ]
    assert accepted.happens("16:23", events.IncidentUnlinked, **LINK) == []
    assert declined.case.handover is not None
    assert declined.case.handover.awaits


@pytest.mark.parametrize("by", ["alike_problems", "problems"])
def test_taken_out_again_it_waits_for_an_answer_and_joins_nothing_by_itself(
    by: str,
) -> None:
    search = broken(**{by: ("PRB-000002",)})

    assert taken_out(search, "16:30") == ["handover.reopened"]
    assert search.case.parted == ("PRB-000002",)
    assert "handover.unanswered" in search.passes("17:00")
    assert search.happens("07-05 09:00", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined"
    ]


ANSWERS: dict[str, tuple[type[events.AnyEvent], dict[str, str]]] = {
    "accepted": (events.ProblemIdentified, NEW),
    "joined": (events.ProblemIncidentLinked, PROBLEM),
}
answered_by = pytest.mark.parametrize("how", ANSWERS)


@answered_by
def test_an_answer_of_a_person_that_is_undone_is_given_anew(how: str) -> None:
    search = broken()
    kind, words = ANSWERS[how]
    search.happens("16:22", kind, **words)

    assert taken_out(search, "16:30") == ["handover.reopened"]
    assert search.passes("16:59") == []
    assert search.passes("17:00") == ["handover.unanswered"]
    assert search.happens("17:05", kind, **words) == [f"handover.{how}"]
    assert taken_out(search, "17:10") == ["handover.reopened"]


@answered_by
def test_taken_out_of_one_of_its_problems_it_joins_the_one_that_is_left(
    how: str,
) -> None:
    search = broken()
    kind, words = ANSWERS[how]
    search.happens("16:22", kind, **words)
    for other in ("PRB-000005", "PRB-000009"):
        link = PROBLEM | {"problem": other}
        search.happens("16:23", events.ProblemIncidentLinked, **link)

    assert taken_out(search, "16:30", "PRB-000005") == []
    assert taken_out(search, "16:31") == ["handover.reopened", "handover.joined"]
    assert joins(search)[-1] == ("PRB-000009", None, False)


@answered_by
def test_an_answer_that_an_earlier_version_kept_is_undone_with_the_last_link(
    how: str,
) -> None:
    search = broken()
    kind, words = ANSWERS[how]
    search.happens("16:22", kind, **words)
    other = PROBLEM | {"problem": "PRB-000009"}
    search.happens("16:23", events.ProblemIncidentLinked, **other)
    held = search.case.handover
    assert held is not None
    search.desk.case = replace(search.case, handover=replace(held, joined=None))

    assert taken_out(search, "16:30") == []
    assert taken_out(search, "16:31", "PRB-000009") == ["handover.reopened"]


def test_what_a_person_took_out_before_the_breach_is_not_joined() -> None:
    search = Search(problems=("PRB-000002",))
    search.opened("09:10", reporter=None)
    search.happens("10:00", events.ProblemIncidentLinked, **PROBLEM)
    search.happens("10:05", events.ProblemIncidentUnlinked, **PROBLEM, **RELATION)
    search.breached("16:10")

    assert said(search) == ["handover.requested"]
    assert request(search).problem is None


ALIKE = PROBLEM | {"incident": "INC-000099"}
"""An incident of its signature, in a problem."""


@pytest.mark.parametrize("how", ANSWERS)
def test_what_waits_is_proposed_once_to_a_problem_that_comes_to_be_of_its_signature(
    how: str,
) -> None:
    search = broken()
    kind, words = ANSWERS[how]

    assert search.happens("16:15", kind, **words | ALIKE) == ["handover.proposed"]
    assert search.happens("16:16", events.ProblemIncidentLinked, **ALIKE) == []
    assert search.case.problems == ()
    assert "handover.unanswered" in search.passes("16:40")
    assert search.happens(
        "16:45", kind, **words | ALIKE | {"problem": "PRB-000005"}
    ) == ["handover.proposed"]
    assert search.happens("16:50", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined"
    ]


def test_what_is_presumed_is_proposed_to_another_problem_of_its_signature() -> None:
    search = broken(problems=("PRB-000002",))
    other = ALIKE | {"problem": "PRB-000009"}

    assert search.happens("16:15", events.ProblemIncidentLinked, **ALIKE) == []
    assert search.happens("16:16", events.ProblemIncidentLinked, **other) == [
        "handover.proposed"
    ]


def test_nothing_is_proposed_that_is_known_refuted_or_no_longer_asked() -> None:
    several = broken(problems=("PRB-000002", "PRB-000005"))
    parted, answered = broken(alike_problems=("PRB-000002",)), broken()
    taken_out(parted, "16:11")
    answered.happens(
        "16:11", events.ProblemIdentified, **NEW | {"problem": "PRB-000009"}
    )
    never = Search()
    never.opened("09:10", reporter=None)

    for search in (several, parted, answered, never):
        search.happens("16:15", events.ProblemIncidentLinked, **ALIKE)
        assert "handover.proposed" not in said(search)


def test_a_hand_over_names_no_more_problems_than_an_event_may() -> None:
    search = broken()
    for number in range(PROPOSED_MAX + 1):
        other = ALIKE | {"problem": f"PRB-{number + 2:06d}"}
        search.happens("16:15", events.ProblemIncidentLinked, **other)

    assert said(search).count("handover.proposed") == PROPOSED_MAX


def test_users_hear_of_its_workaround_only_once_it_is_confirmed() -> None:
    search = Search(problems=("PRB-000002",))
    search.opened("09:10")
    search.happens(
        "09:30", events.ProblemWorkaroundPublished, workaround="Print", **PROBLEM
    )
    search.breached("16:10")

    told = "problem_workaround → roche"
    assert told not in map(brief, search.said)
    presumed = search.happens(
        "16:11", events.IncidentProblemPresumed, problem="PRB-000002"
    )
    assert presumed == []
    confirmed = search.happens("16:22", events.ProblemIncidentLinked, **PROBLEM)
    assert confirmed.count(told) == 1
    assert told not in search.happens("16:22", events.IncidentLinked, **LINK)


def test_a_case_kept_by_an_earlier_version_is_read() -> None:
    kept = TypeAdapter(Case).dump_python(broken().case, mode="json")
    old = {"state": "joined", "answer": ["joined", "PRB-000002"], "team": "problem"}
    kept["handover"] = {**kept["handover"], **old}
    for fresh in ("joined", "to_be_confirmed", "undone", "proposed", "to_propose"):
        del kept["handover"][fresh]
    del kept["parted"]

    read = TypeAdapter(Case).validate_python(kept)

    assert read.handover is not None
    assert read.handover.answer == ("joined", "PRB-000002", None)
    assert not read.handover.awaits


def test_a_problem_found_by_it_accepts_the_handover() -> None:
    search = broken()

    assert search.happens("16:22", events.ProblemIdentified, **NEW) == [
        "handover.accepted"
    ]
    assert search.happens("16:23", events.ProblemIncidentLinked, **PROBLEM) == []


def test_a_link_to_a_known_problem_joins_it() -> None:
    search = broken()

    assert search.happens("16:22", events.ProblemIncidentLinked, **PROBLEM) == [
        "handover.joined"
    ]


def test_what_was_linked_before_the_breach_has_joined_at_once() -> None:
    search = Search()
    search.opened("09:10", reporter=None)
    search.happens("10:00", events.ProblemIncidentLinked, **PROBLEM)
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
    assert search.happens("07-05 09:00", events.ProblemIdentified, **NEW) == [
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
