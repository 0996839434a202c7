"""Each user hears once of each visible change; staff, of what is theirs."""

from typing import Any

import pytest

from shared.domain import events
from tests.support.builders.escalation import Happening, Search
from tests.support.builders.promises import INCIDENT, local

RESOLVED: Happening = (events.IncidentResolved, {"cycle": 1})
TAKEN: Happening = (events.IncidentAcknowledged, {})
GIVEN: Happening = (events.IncidentAssigned, {"team": "desk", "assignee": "nadia"})
BACK: Happening = (events.IncidentRestored, {})


def contact(person: str, when: str = "09:10") -> dict[str, Any]:
    return {
        "person": person,
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": local(when),
    }


def reported() -> Search:
    search = Search()
    search.opened("09:10")
    return search


def test_who_reports_an_incident_gets_a_receipt() -> None:
    search = Search()
    called = (events.IncidentContacted, contact("roche"))

    assert search.opened("09:10", called) == ["receipt → roche"]


def test_who_writes_again_gets_no_second_one() -> None:
    search = reported()

    assert search.happens("09:20", events.IncidentContacted, **contact("roche")) == []


def test_the_second_who_reports_it_gets_one_too() -> None:
    search = reported()

    assert search.happens("09:20", events.IncidentContacted, **contact("petit")) == [
        "receipt → petit"
    ]


def test_who_the_desk_calls_gets_none() -> None:
    search = reported()
    called = contact("petit") | {"direction": "outbound"}

    assert search.happens("09:20", events.IncidentContacted, **called) == []


def test_a_stranger_gets_none_and_hears_of_nothing_later() -> None:
    search = reported()
    stranger = contact("mallory") | {"unconfirmed": True}

    assert search.happens("09:20", events.IncidentContacted, **stranger) == []
    assert search.happens("09:22", events.IncidentInformed, message="Soon") == [
        "update → roche"
    ]


def test_nobody_hears_of_what_only_monitoring_reported() -> None:
    search = Search()
    said = search.opened("09:10", reporter=None, origin="monitoring")
    said += search.at_once("09:12", TAKEN)
    said += [line for line in search.passes("09:30") if "escalated" in line]
    said += search.at_once("09:40", BACK, RESOLVED)

    assert said == []


def test_each_visible_change_is_told_each_of_them_once() -> None:
    search = reported()
    search.happens("09:11", events.IncidentContacted, **contact("petit"))

    assert search.at_once("09:14", TAKEN, GIVEN) == ["taken → petit", "taken → roche"]
    assert [line for line in search.passes("09:30") if "escalated" in line] == [
        "escalated → petit",
        "escalated → roche",
    ]
    search.happens("09:40", events.IncidentAssigned, team="support", assignee="bruno")
    asked = {"reason": "user", "question": "Which one?"}
    assert search.happens("10:20", events.IncidentPaused, **asked) == [
        "question → petit",
        "question → roche",
    ]
    search.happens("11:20", events.IncidentResumed, cause="reply")
    assert search.happens("13:25", events.IncidentInformed, message="Soon") == [
        "update → petit",
        "update → roche",
    ]
    assert search.happens("14:00", events.IncidentRestored, workaround=True) == [
        "restored → petit",
        "restored → roche",
    ]
    assert search.at_once("16:40", RESOLVED) == ["resolved → petit", "resolved → roche"]
    assert search.happens("18:00", events.IncidentClosed) == []


def test_waiting_for_others_asks_the_users_nothing() -> None:
    assert reported().happens("09:20", events.IncidentPaused, reason="vendor") == []


def test_what_is_taken_on_the_phone_needs_no_second_message() -> None:
    search = Search()
    called = (events.IncidentContacted, contact("roche"))

    assert search.opened("09:10", called, TAKEN, GIVEN) == ["receipt → roche"]


def test_of_one_moment_only_the_last_word_is_told() -> None:
    assert reported().at_once("09:20", TAKEN, GIVEN, BACK, RESOLVED) == [
        "resolved → roche"
    ]
    assert reported().at_once("09:20", TAKEN, GIVEN, BACK) == ["restored → roche"]
    informed = (events.IncidentInformed, {"message": "Soon"})
    assert reported().at_once("09:20", TAKEN, GIVEN, informed) == ["update → roche"]


def test_restored_and_later_resolved_are_both_told() -> None:
    search = reported()

    assert search.at_once("09:20", BACK) == ["restored → roche"]
    assert search.at_once("09:21", RESOLVED) == ["resolved → roche"]


def test_that_it_is_back_or_cancelled_is_told() -> None:
    search = reported()
    search.at_once("09:20", BACK, RESOLVED)
    again = {"cycle": 2, "cause": "agent", "after_closure": False}

    assert search.happens("09:30", events.IncidentReopened, **again) == [
        "reopened → roche"
    ]
    assert search.happens("09:40", events.IncidentCancelled, reason="withdrawn") == [
        "cancelled → roche"
    ]


def test_where_a_request_was_handed_is_told_once() -> None:
    search = reported()
    handed = {"to": "rh", "message": "La RH vous répond."}

    assert search.happens("09:20", events.IncidentRedirected, **handed) == [
        "redirected → roche"
    ]
    assert search.passes("18:00") == []


def test_who_reported_what_is_merged_hears_so_and_then_no_more() -> None:
    search = reported()

    assert search.happens("09:20", events.IncidentMerged, into="INC-000001") == [
        "merged → roche"
    ]
    assert search.passes("18:00") == []


def test_who_reported_what_was_absorbed_hears_of_this_one_from_then_on() -> None:
    search = reported()
    absorbed = {"merged": "INC-000017", "signals": {}, "reporters": ("petit", "roche")}

    assert search.happens("09:15", events.IncidentAbsorbed, **absorbed) == []
    assert search.at_once("09:20", BACK) == ["restored → petit", "restored → roche"]
    search.happens(
        "09:25", events.IncidentReleased, merged="INC-000017", signal_keys=()
    )
    assert search.at_once("09:30", RESOLVED) == ["resolved → roche"]


def test_a_workaround_is_told_while_the_incident_is_open() -> None:
    workaround = {"problem": "PRB-000002", "workaround": "Restart it"}
    search = reported()
    search.happens(
        "09:15", events.ProblemIncidentLinked, problem="PRB-000002", incident=INCIDENT
    )

    assert search.happens("09:20", events.ProblemWorkaroundPublished, **workaround) == [
        "problem_workaround → roche"
    ]
    search.at_once("09:25", BACK, RESOLVED)
    assert (
        search.happens("09:28", events.ProblemWorkaroundPublished, **workaround) == []
    )


PROBLEM = {"problem": "PRB-000002"}
CHANGE = {"change": "CHG-000003"}
PUBLISHED: Happening = (
    events.ProblemWorkaroundPublished,
    {**PROBLEM, "workaround": "Restart it"},
)
JOINED: Happening = (events.ProblemIncidentLinked, {**PROBLEM, "incident": INCIDENT})
LINKED: Happening = (
    events.IncidentLinked,
    {"relation": "problem", "target": "PRB-000002"},
)


def test_a_workaround_from_before_the_link_is_told_once() -> None:
    search = reported()
    assert search.at_once("09:12", PUBLISHED) == []

    told = search.at_once("09:15", JOINED, LINKED)

    assert told == ["problem_workaround → roche"]
    assert search.at_once("09:16", LINKED) == []
    unlinked = {**PROBLEM, "incident": INCIDENT, "relation": "problem"}
    search.happens("09:17", events.ProblemIncidentUnlinked, **unlinked)
    assert search.at_once("09:18", JOINED) == []
    assert search.at_once("09:20", PUBLISHED) == ["problem_workaround → roche"]


def test_who_reports_it_later_hears_of_the_workaround_too() -> None:
    search = reported()
    search.at_once("09:15", JOINED, PUBLISHED)

    assert search.happens("09:20", events.IncidentContacted, **contact("petit")) == [
        "receipt → petit",
        "problem_workaround → petit",
    ]


def test_a_workaround_is_told_again_in_no_later_cycle_but_then_if_it_was_not() -> None:
    search = reported()
    search.at_once("09:15", JOINED, PUBLISHED)
    search.at_once("09:20", BACK, RESOLVED)
    search.at_once("09:25", PUBLISHED)
    again = {"cycle": 2, "cause": "agent", "after_closure": False}

    assert search.happens("09:30", events.IncidentReopened, **again) == [
        "reopened → roche",
        "problem_workaround → roche",
    ]


def test_the_workaround_of_a_problem_that_is_gone_is_not_told() -> None:
    search = reported()
    search.at_once("09:12", PUBLISHED, (events.ProblemResolved, PROBLEM))

    assert search.at_once("09:15", JOINED) == []


def test_that_users_wait_for_word_is_told_to_who_works_on_it_or_to_the_desk() -> None:
    search = reported()

    assert search.breached("09:25", target="update") == ["update_due → sylvie"]
    search.at_once("09:26", TAKEN, GIVEN)
    assert search.breached("09:28", target="update", round=2) == ["update_due → nadia"]


def test_who_asked_to_be_reminded_gets_the_reminder_and_nobody_else() -> None:
    search = reported()
    reminded = {"person": "nadia", "due_at": local("09:20"), "by": "system:intake"}

    assert search.happens("09:20", events.IncidentReminded, **reminded) == [
        "reminder → nadia"
    ]


def test_the_receiver_of_pages_hears_once_of_each_page_and_of_no_user() -> None:
    search = Search(webhook=True)

    assert search.opened("09:10") == ["receipt → roche"]
    assert search.passes("09:30") == [
        "09:30 n1→n2 support dwell",
        "escalated → roche",
        "09:30 page bruno",
        "page → bruno",
        "page → webhook",
    ]


def test_every_notification_has_a_key_of_its_own() -> None:
    search = Search(webhook=True)
    search.opened("09:10")
    search.happens("09:11", events.IncidentContacted, **contact("petit"))
    search.passes("18:00")
    search.warned("18:00")
    told = [
        each for each in search.said if isinstance(each, events.NotificationRequested)
    ]

    assert len({each.key for each in told}) == len(told) > 10
    assert {each.audience for each in told if each.kind == "page"} == {"staff"}
    assert {each.channel for each in told if each.person is None} == {"webhook"}
    escalated = next(each for each in told if each.kind == "escalated")
    causes = {(s, v): each.type for s, v, each in search.desk.decided}
    cause = (escalated.cause_stream, escalated.cause_version)
    assert causes[cause] == "escalation.escalated"


@pytest.mark.parametrize(
    ("kind", "record"),
    [(events.ProblemAssigned, PROBLEM), (events.ChangeAssigned, CHANGE)],
)
def test_the_team_that_gets_a_problem_or_a_change_hears_of_it_once_each_time(
    kind: type[Any], record: dict[str, str]
) -> None:
    search = Search(webhook=True)
    search.opened("09:10")
    listed = (INCIDENT, "INC-000042")

    def routed(when: str, team: str) -> list[str]:
        return search.happens(when, kind, **record, team=team, incidents=listed)

    assert routed("09:12", "etudes") == ["routed → karim", "routed → webhook"]
    search.passes("09:14")
    assert routed("09:15", "desk") == [
        "routed → nadia",
        "routed → paul",
        "routed → webhook",
    ]
    again = routed("09:18", "etudes")
    assert again == ["routed → karim", "routed → webhook"]
    told = [
        each for each in search.said if isinstance(each, events.NotificationRequested)
    ]
    assert len({each.key for each in told}) == len(told)


def test_the_members_are_those_of_the_policy_under_which_it_was_routed() -> None:
    search = Search()
    search.opened("09:10")
    given = {**PROBLEM, "team": "etudes", "incidents": (INCIDENT,), "policy": 2}

    search.happens("09:20", events.ProblemAssigned, **given)

    *_, asked = [e for e in search.said if isinstance(e, events.NotificationRequested)]
    assert (asked.kind, asked.audience, asked.policy) == ("routed", "staff", 2)


@pytest.mark.parametrize(
    "end", [RESOLVED, (events.IncidentCancelled, {"reason": "test"})]
)
def test_it_hears_of_it_also_where_the_first_incident_is_over(end: Happening) -> None:
    search = reported()
    search.at_once("09:15", end)
    given = {**PROBLEM, "team": "etudes", "incidents": (INCIDENT,)}

    assert search.happens("09:20", events.ProblemAssigned, **given) == [
        "routed → karim"
    ]
