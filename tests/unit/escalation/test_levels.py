"""An incident leaves a support level when it stayed too long, or by hand."""

from typing import Any

import pytest

from shared.domain import events
from tests.support.builders.escalation import Search, without_steps
from tests.support.builders.promises import VALMONT, local, valmont

UNSEARCHED = without_steps(VALMONT)


def moves(said: list[str]) -> list[str]:
    return [line for line in said if "→n" in line]


def test_an_incident_leaves_n1_once_it_was_there_for_its_share() -> None:
    search = Search()
    search.opened("09:10")

    assert moves(search.passes("09:29:59")) == []
    assert moves(search.passes("09:30")) == ["09:30 n1→n2 support dwell"]


def test_it_leaves_though_somebody_at_the_desk_has_taken_it_on() -> None:
    search = Search()
    search.opened("09:10")
    search.happens("09:14", events.IncidentAcknowledged)

    assert moves(search.passes("10:00")) == ["09:30 n1→n2 support dwell"]


def test_the_time_is_counted_from_the_report_not_from_the_record() -> None:
    search = Search()
    search.opened("09:20", reported_at=local("09:10"))

    assert moves(search.passes("10:00")) == ["09:30 n1→n2 support dwell"]


def test_what_is_overdue_when_it_is_recorded_leaves_then_and_not_before() -> None:
    search = Search()
    said = search.opened("11:00", reported_at=local("09:10"))

    assert moves(said) == ["11:00 n1→n2 support dwell"]


def test_what_is_split_off_is_at_n1_from_then_on() -> None:
    search = Search()
    search.opened(
        "11:00",
        reported_at=local("09:10"),
        origin="split",
        split_from="INC-000001",
        reporter=None,
    )

    assert moves(search.passes("12:00")) == ["11:20 n1→n2 support dwell"]


def test_a_pause_that_stops_ttr_does_not_count() -> None:
    search = Search(UNSEARCHED)
    search.opened("09:10")
    search.happens("09:20", events.IncidentPaused, reason="user", question="Which one?")
    assert moves(search.passes("10:19")) == []
    search.happens("10:20", events.IncidentResumed, cause="reply")

    assert moves(search.passes("12:00")) == ["10:30 n1→n2 support dwell"]


@pytest.mark.parametrize(
    ("failed", "moved"),
    [(False, "10:25 n1→n2 support dwell"), (True, "09:30 n1→n2 support dwell")],
)
def test_a_question_does_not_count_from_its_delivery_on(
    *, failed: bool, moved: str
) -> None:
    search = Search(UNSEARCHED)
    search.opened("09:10")
    asked = {"reason": "user", "question": "Which one?", "awaits_delivery": True}
    search.happens("09:20", events.IncidentPaused, **asked)
    (key,) = [
        each.key
        for each in search.said
        if isinstance(each, events.NotificationRequested) and each.kind == "question"
    ]
    said = search.passes("09:25") + search.ends("09:25", key, failed=failed)
    said += search.passes("10:19")
    search.happens("10:20", events.IncidentResumed, cause="reply")

    assert moves(said + search.passes("12:00")) == [moved]


def test_a_pause_that_is_ours_counts() -> None:
    search = Search(UNSEARCHED)
    search.opened("09:10")
    search.happens("09:20", events.IncidentPaused, reason="vendor")

    assert moves(search.passes("12:00")) == ["09:30 n1→n2 support dwell"]


def test_only_working_time_counts() -> None:
    search = Search(UNSEARCHED)
    search.opened("17:50")

    assert moves(search.passes("07-01 11:00")) == ["07-01 08:10 n1→n2 support dwell"]


def test_while_service_is_back_nobody_is_sought() -> None:
    search = Search()
    search.opened("09:10")
    search.happens("09:20", events.IncidentRestored, workaround=True)
    assert moves(search.passes("11:00")) == []
    search.happens("11:00", events.IncidentRelapsed)

    assert moves(search.passes("12:00")) == ["11:10 n1→n2 support dwell"]


def test_neither_resolved_nor_cancelled_nor_merged_incidents_are_escalated() -> None:
    ends = (
        (events.IncidentResolved, {"cycle": 1}),
        (events.IncidentCancelled, {"reason": "withdrawn"}),
        (events.IncidentMerged, {"into": "INC-000001"}),
    )
    for kind, words in ends:
        search = Search()
        search.opened("09:10")
        search.happens("09:20", kind, **words)

        assert moves(search.passes("17:00")) == []


def test_what_was_merged_by_mistake_is_overdue_at_once() -> None:
    search = Search()
    search.opened("09:10")
    search.happens("09:20", events.IncidentMerged, into="INC-000001")
    said = search.happens(
        "10:00", events.IncidentUnmerged, out_of="INC-000001", signals={}
    )

    assert moves(said) == ["10:00 n1→n2 support dwell"]


def test_a_new_cycle_begins_at_n1_anew() -> None:
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    search.happens("10:00", events.IncidentResolved, cycle=1)
    again = {"cycle": 2, "cause": "user", "after_closure": False}
    to_the_desk = (events.IncidentAssigned, {"team": "desk"})
    said = search.at_once("11:00", (events.IncidentReopened, again), to_the_desk)

    assert moves(said) == []
    assert (search.case.post.level, search.case.post.team) == ("n1", "desk")
    assert moves(search.passes("12:00")) == ["11:20 n1→n2 support dwell"]


def test_another_priority_counts_from_the_first_report() -> None:
    search = Search(valmont(("levels: {n1: 20m, n2: 50%}", "levels: {n1: 10%}")))
    search.opened("09:10")
    said = search.happens(
        "09:36",
        events.IncidentClassified,
        service="paie",
        impact="high",
        urgency="high",
        priority="p1",
    )

    assert moves(said) == ["09:36 n1→n2 support dwell"]


def test_a_share_is_one_of_the_time_to_resolve() -> None:
    search = Search(
        without_steps(valmont(("levels: {n1: 20m, n2: 50%}", "levels: {n1: 10%}")))
    )
    search.opened("09:10")

    assert moves(search.passes("12:00")) == ["09:46 n1→n2 support dwell"]


def test_without_a_limit_or_a_contract_it_stays() -> None:
    unlimited = Search(valmont(("    levels: {n1: 20m, n2: 50%}", "    levels: {}")))
    unlimited.opened("09:10")
    uncovered = Search()
    uncovered.opened("09:10", service="unknown")

    assert moves(unlimited.passes("18:00")) == []
    assert moves(uncovered.passes("18:00")) == []


def test_a_p1_while_the_desk_is_closed_goes_on_at_once() -> None:
    search = Search()
    said = search.opened("07:52", priority="p1", service="portail")

    assert moves(said) == ["07:52 n1→n2 support desk_closed"]


def test_a_p1_while_the_desk_is_open_has_its_time_at_n1() -> None:
    search = Search()
    said = search.opened("08:00", priority="p1", service="portail")

    assert moves(said) == []
    assert moves(search.passes("09:00")) == ["08:20 n1→n2 support dwell"]


def test_a_p1_that_nothing_is_promised_about_goes_on_at_once() -> None:
    search = Search()
    said = search.opened("09:10", priority="p1", service="unknown")

    assert moves(said) == ["09:10 n1→n2 support no_contract"]


def test_what_becomes_p1_at_night_goes_on_unless_somebody_has_it() -> None:
    p1 = {"service": "paie", "impact": "high", "urgency": "high", "priority": "p1"}
    alone, taken = Search(), Search()
    for search in (alone, taken):
        search.opened("20:00")
    taken.happens("20:05", events.IncidentAcknowledged)

    assert moves(alone.happens("20:10", events.IncidentClassified, **p1)) == [
        "20:10 n1→n2 support desk_closed"
    ]
    assert moves(taken.happens("20:10", events.IncidentClassified, **p1)) == []


def test_giving_it_to_a_higher_team_is_escalating_it() -> None:
    search = Search()
    search.opened("09:10")

    assert search.happens(
        "09:15", events.IncidentAssigned, team="support", assignee="bruno"
    ) == [
        "09:15 n1→n2 support by_hand",
        "accepted by bruno",
        "escalated → roche",
    ]
    assert moves(search.passes("18:00")) == []


def returned(when: str = "09:40", **words: Any) -> Search:
    search = Search(UNSEARCHED)
    search.opened("09:10")
    search.passes("09:30")
    given = {"team": "desk", "assignee": "paul", "reason": "Ours"}
    search.happens(when, events.IncidentAssigned, **(given | words))
    return search


@pytest.mark.parametrize("assignee", ["paul", None])
def test_giving_it_back_to_the_desk_is_returning_it(assignee: str | None) -> None:
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:32", events.IncidentAcknowledged, by="person:bruno")

    assert search.happens(
        "09:40", events.IncidentAssigned, team="desk", assignee=assignee, reason="Ours"
    ) == ["09:40 n2→n1 desk returned", "returned → roche"]
    assert (search.case.post.level, search.case.post.accepted_by) == ("n1", None)


def test_what_went_back_has_its_time_at_the_level_again_and_once() -> None:
    search = returned()

    assert moves(search.passes("12:00")) == ["10:00 n1→n2 support dwell"]


def test_what_went_back_wakes_nobody_any_more() -> None:
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:40", events.IncidentAssigned, team="desk", reason="Ours")

    assert [line for line in search.passes("09:59") if "page" in line] == []


def test_who_is_asked_when_it_comes_again_is_asked_anew() -> None:
    search = returned()
    search.passes("12:00")
    keys = [
        each.key for each in search.said if isinstance(each, events.EscalationPaged)
    ]

    assert keys == ["INC-000016.1.1.n2.0.1", "INC-000016.1.1.n2.0.1.1"]


def test_from_n3_it_goes_back_to_whom_it_was_given_at_n2() -> None:
    search = returned(team="etudes", assignee=None)

    assert search.happens(
        "11:00",
        events.IncidentAssigned,
        team="support",
        assignee="bruno",
        reason="Yours",
    ) == [
        "11:00 n3→n2 support returned",
        "accepted by bruno",
        "returned → roche",
    ]


def test_a_team_without_a_level_has_it_where_it_is() -> None:
    search = returned(team="causes", assignee=None, reason=None)

    assert (search.case.post.level, search.case.post.team) == ("n2", "causes")


def test_a_p1_that_a_person_gave_back_does_not_go_on_at_once() -> None:
    search = Search()
    search.opened("09:10", priority="p1", service="unknown")
    search.happens("09:20", events.IncidentAssigned, team="support")
    said = search.happens("09:30", events.IncidentAssigned, team="desk", reason="Ours")

    assert moves(said) == ["09:30 n2→n1 desk returned"]
    assert moves(search.passes("18:00")) == []


def test_from_n2_it_goes_on_to_n3_unless_somebody_there_accepted_it() -> None:
    alone, taken = Search(UNSEARCHED), Search(UNSEARCHED)
    for search in (alone, taken):
        search.opened("09:10")
        search.passes("09:30")
    taken.happens("09:52", events.IncidentAssigned, team="support", assignee="chloe")

    assert moves(alone.passes("16:00")) == ["12:30 n2→n3 etudes dwell"]
    assert moves(taken.passes("16:00")) == []


def test_where_no_team_is_above_it_stays() -> None:
    search = Search()
    search.opened("09:10", service="vpn")
    search.passes("09:30")

    assert moves(search.passes("07-04 18:00")) == []
    assert search.case.post.level == "n2"


def test_time_at_n2_is_what_is_worked_there() -> None:
    search = Search(UNSEARCHED)
    search.opened("09:10")
    search.passes("09:30")
    search.happens("10:00", events.IncidentPaused, reason="user", question="Which one?")
    search.happens("12:00", events.IncidentResumed, cause="reply")

    assert moves(search.passes("16:00")) == ["14:30 n2→n3 etudes dwell"]


def test_what_was_p1_in_open_hours_is_not_alone_because_night_falls() -> None:
    search = Search(valmont(("levels: {n1: 20m, n2: 50%}", "levels: {}")))
    p1 = {"service": "paie", "impact": "high", "urgency": "high", "priority": "p1"}
    search.opened("17:55", priority="p1")

    said = search.happens("20:10", events.IncidentClassified, category="data", **p1)
    assert moves(said) == []


def limited(levels: str, ola: str) -> Search:
    targets = f"levels: {levels}\n    ola: {ola}"
    return Search(without_steps(valmont(("levels: {n1: 20m, n2: 50%}", targets))))


@pytest.mark.parametrize(
    ("levels", "ola", "left"),
    [
        ("{n1: 20m}", "{}", "09:30 n1→n2 support dwell"),
        ("{n1: [20m, 5%]}", "{}", "09:28 n1→n2 support dwell"),
        ("{n1: [10%, 20m]}", "{}", "09:30 n1→n2 support dwell"),
        ("{n1: 20m}", "{n1: {work: 15m}}", "09:25 n1→n2 support ola"),
        ("{n1: 20m}", "{n1: {work: 10%}}", "09:30 n1→n2 support dwell"),
        ("{n1: [20m, 5%]}", "{n1: {work: 25m}}", "09:28 n1→n2 support dwell"),
        ("{}", "{n1: {work: 25m}}", "09:35 n1→n2 support ola"),
    ],
)
def test_n1_is_left_at_the_first_of_its_limits(
    levels: str, ola: str, left: str
) -> None:
    search = limited(levels, ola)
    search.opened("09:10")

    assert moves(search.passes("18:00")) == [left]


def test_what_n1_owes_stands_as_ttr_does_and_counts_at_each_entry_once() -> None:
    search = limited("{n1: 40m}", "{n1: {own: 5m, work: 15m}, n2: {work: 30m}}")
    search.opened("09:10")
    search.happens("09:20", events.IncidentPaused, reason="user", question="Which one?")
    search.happens("10:20", events.IncidentResumed, cause="reply")

    assert moves(search.passes("10:40")) == ["10:25 n1→n2 support ola"]
    search.happens("10:40", events.IncidentAssigned, team="desk", reason="Ours")
    assert moves(search.passes("18:00")) == ["10:55 n1→n2 support ola"]


def test_a_limit_that_was_reached_before_the_question_arrived_is_not_forgotten() -> (
    None
):
    search = Search()
    search.opened("09:10")
    asked = {"reason": "user", "question": "Quel mois ?", "awaits_delivery": True}
    search.happens("09:12", events.IncidentPaused, **asked)
    sent = (e for e in search.said if isinstance(e, events.NotificationRequested))
    key = next(each.key for each in sent if each.kind == "question")

    search.ends("09:31", key, failed=False)
    moved = next(e for e in search.said if isinstance(e, events.Escalated))
    assert moved.escalated_at == local("09:30")
