"""If nobody is left to page, the manager is told until somebody accepts."""

from datetime import timedelta

import pytest

from services.escalation.rules.manager_notices import interval_after
from shared.domain import events
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Priority
from tests.support.builders.escalation import Search, without_steps
from tests.support.builders.promises import VALMONT, local, valmont

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def told(search: Search) -> list[events.EscalationExhausted]:
    return [e for e in search.said if isinstance(e, events.EscalationExhausted)]


def nowhere_to_climb(policy: Policy = VALMONT, priority: Priority = "p2") -> Search:
    search = Search(policy, webhook=True, with_exhaustions=True)
    search.opened("09:10", service="vpn", priority=priority)
    search.happens("09:30", events.IncidentAssigned, team="support")
    return search


def test_the_manager_is_told_at_once_and_then_at_growing_intervals() -> None:
    search = nowhere_to_climb()
    search.passes("13:00")
    found = told(search)

    instants = [local(at) for at in ("10:30", "10:45", "11:15", "12:15")]
    assert [each.exhausted_at for each in found] == instants
    assert [each.next_at for each in found][:-1] == instants[1:]
    assert {each.people for each in found} == {("sylvie",)}
    assert len({each.key for each in found}) == len(found)


def test_it_is_told_to_the_receiver_of_pages_as_well() -> None:
    search = nowhere_to_climb()
    said = search.passes("10:30")

    assert said[-3:] == [
        "escalation.exhausted",
        "manager → sylvie",
        "manager → webhook",
    ]


@pytest.mark.parametrize(
    "ends",
    [
        (events.IncidentAcknowledged, {"by": "person:chloe"}),
        (events.IncidentAssigned, {"team": "support", "assignee": "bruno"}),
        (events.IncidentAssigned, {"team": "desk", "reason": "x"}),
        (events.IncidentResolved, {"cycle": 1}),
        (events.IncidentCancelled, {"cycle": 1, "reason": "test"}),
    ],
    ids=["acknowledged", "accepted", "returned", "resolved", "cancelled"],
)
def test_once_somebody_takes_it_or_it_ends_nobody_is_told_again(
    ends: tuple[type, dict[str, object]],
) -> None:
    search = nowhere_to_climb()
    search.passes("10:50")
    kind, words = ends
    search.happens("10:50", kind, **words)
    before = len(told(search))
    search.passes("12:00")

    assert (before, len(told(search))) == (2, 2)


def test_while_service_is_back_nobody_is_told_and_then_it_goes_on() -> None:
    search = nowhere_to_climb()
    search.passes("10:50")
    search.happens("10:50", events.IncidentRestored)
    search.happens("12:50", events.IncidentRelapsed)
    search.passes("13:20")

    assert [each.exhausted_at for each in told(search)][2:] == [local("13:15")]


def test_a_level_without_steps_is_exhausted_if_nobody_accepts_in_time() -> None:
    search = nowhere_to_climb(without_steps(VALMONT))
    search.passes("09:50")

    assert [each.exhausted_at for each in told(search)] == [local("09:45")]


def test_of_what_wakes_nobody_managers_are_told_by_mail() -> None:
    search = nowhere_to_climb(priority="p4")
    said = search.passes("10:30")

    assert said[-2:] == ["escalation.exhausted", "manager → sylvie"]
    assert told(search)[0].quiet


def test_after_an_outage_the_manager_is_told_once_of_what_was_missed() -> None:
    prompt, behind = nowhere_to_climb(), nowhere_to_climb()
    prompt.passes("13:00")
    behind.desk.reach(local("13:00"), local("13:00"))

    assert told(behind) == [told(prompt)[-1].model_copy(update={"at": local("13:00")})]
    assert behind.case.post.exhausted == 4


def test_before_an_escalation_that_an_outage_delayed_the_manager_is_told_once() -> None:
    """What is due in between is decided in its order."""
    search = Search(without_steps(VALMONT), with_exhaustions=True)
    search.opened("09:10")
    search.happens("09:30", events.IncidentAssigned, team="support")
    search.desk.reach(local("07-01 18:00"), local("07-01 18:00"))

    at_n2 = [e.exhausted_at for e in told(search) if e.level == "n2"]
    moves = [e.escalated_at for e in search.said if isinstance(e, events.Escalated)]
    assert (at_n2, moves[-1:]) == ([local("11:30")], [local("12:30")])


def test_if_the_priority_is_raised_the_intervals_count_from_then() -> None:
    search = nowhere_to_climb(without_steps(VALMONT), "p4")
    search.passes("12:00")
    scale = {"impact": "high", "urgency": "high", "priority": "p1"}
    search.happens("12:00", events.IncidentClassified, service="vpn", **scale)
    search.passes("13:00")

    instants = [local(at) for at in ("10:30", "11:30", "12:30")]
    assert [each.exhausted_at for each in told(search)] == instants


def test_an_incident_that_climbs_is_not_exhausted() -> None:
    search = Search()
    search.opened("09:10")
    search.passes("10:40")

    assert told(search) == []
    assert search.case.post.level == "n3"


@pytest.mark.parametrize(
    ("number", "priority", "every", "expected"),
    [
        (1, "p1", None, 15 * MINUTE),
        (2, "p2", None, 30 * MINUTE),
        (3, "p1", None, HOUR),
        (24, "p1", None, HOUR),
        (25, "p1", None, DAY),
        (1, "p3", None, HOUR),
        (6, "p4", None, DAY),
        (2, "p1", "5m", 10 * MINUTE),
        (9, "p1", "2h", 2 * HOUR),
    ],
)
def test_the_interval_doubles_up_to_an_hour_and_after_a_day_it_is_a_day(
    number: int, priority: Priority, every: str | None, expected: timedelta
) -> None:
    policy = valmont(
        ("  ping_pong: 2", f"  exhausted_every: {every}\n  ping_pong: 2")
        if every
        else ("  ping_pong: 2", "  ping_pong: 2")
    )

    assert interval_after(number, priority, policy) == expected
