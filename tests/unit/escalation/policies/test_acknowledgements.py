"""An acknowledgement lapses without an update, and people are paged again."""

from typing import Any

import pytest

from services.escalation.commands import decide_command
from shared.domain import events
from shared.domain.commands.escalation import Accept, EscalationCommand
from shared.domain.policy.document import Policy
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, applied, local, shown, valmont

LAPSING = valmont(("acknowledged_for: 4h ", "acknowledged_for: 40m "))
REMINDED, LAPSED = (
    "escalation.acknowledgement_reminded",
    "escalation.acknowledgement_lapsed",
)
AGAIN = [REMINDED, "reminder → bruno", LAPSED, "10:20 page bruno", "page → bruno"]


SILENT = valmont(("  acknowledged_for: 4h ", "  # "))
"""A policy without the limit, as one that was applied before there was a default."""


def acknowledged(
    policy: Policy = LAPSING, by: str = "bruno", priority: str = "p2"
) -> Search:
    """Return a search in which Bruno, paged at 09:30, acknowledged at 09:40."""
    search = Search(policy)
    search.opened("09:10", priority=priority)
    search.passes("09:30")
    search.happens("09:40", events.IncidentAcknowledged, by=f"person:{by}")
    return search


def accept(search: Search, when: str) -> list[events.AnyEvent]:
    request = CommandRequest[EscalationCommand](
        incident=INCIDENT, actor="person:bruno", scopes=(), body=Accept()
    )
    fresh = decide_command(request, search.case, local(when), search.desk.known)
    for event in fresh:
        search.desk.record(event)
    return [*fresh]


def test_without_an_update_it_lapses_after_a_reminder_and_the_steps_begin_again() -> (
    None
):
    search = acknowledged()

    assert search.passes("10:09") == []
    assert search.passes("10:20") == AGAIN
    reminded = next(e for e in search.said if e.type == REMINDED)
    assert isinstance(reminded, events.EscalationAcknowledgementReminded)
    assert (reminded.person, reminded.lapses_at) == ("bruno", local("10:20"))
    assert search.passes("10:35") == ["10:35 page chloe", "page → chloe"]
    keys = [e.key for e in search.said if isinstance(e, events.EscalationPaged)]
    assert keys[:2] == [
        f"{INCIDENT}.1.1.n2.0.1",
        f"{INCIDENT}.1.1.n2.0.1.lapsed-1",
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (events.IncidentInformed, {"message": "x"}),
        (events.IncidentNoted, {"note": "x"}),
    ],
)
def test_an_update_begins_the_time_again(
    kind: type[events.AnyEvent], words: dict[str, object]
) -> None:
    search = acknowledged()
    search.passes("10:10")
    search.happens("10:15", kind, **words)

    said = [line for line in search.passes("10:55") if "→" not in line]
    assert said == [REMINDED, LAPSED, "10:55 page bruno"]


def test_it_does_not_lapse_once_who_acknowledged_accepts() -> None:
    search = acknowledged()

    (accepted,) = accept(search, "10:00")
    assert isinstance(accepted, events.EscalationAccepted)
    assert accept(search, "10:01") == []
    assert search.passes("18:00") == []


def test_without_a_limit_accepting_after_acknowledging_changes_nothing() -> None:
    search = acknowledged(SILENT)

    assert accept(search, "10:00") == []
    assert search.passes("18:00") == []


@pytest.mark.parametrize(
    ("priority", "reminded", "lapsed"),
    [("p1", "10:02:30", "10:10"), ("p2", "12:40", "13:40"), ("p3", "12:40", "13:40")],
)
def test_by_default_that_of_a_p1_lapses_after_half_an_hour_and_others_after_four(
    priority: str, reminded: str, lapsed: str
) -> None:
    search = acknowledged(applied(SILENT), priority=priority)

    search.passes(lapsed)
    reminder = next(e for e in search.said if e.type == REMINDED)
    lapse = next(e for e in search.said if e.type == LAPSED)
    assert shown(reminder.at) == reminded
    assert shown(lapse.at) == lapsed


def accepted(
    policy: Policy = SILENT, priority: str = "p1", *, by_assignment: bool = False
) -> Search:
    """Return a search in which Bruno, paged at 09:30, took it at 09:40."""
    search = Search(applied(policy))
    search.opened("09:10", priority=priority)
    search.passes("09:30")
    if by_assignment:
        words = {"team": "support", "assignee": "bruno"}
        search.happens("09:40", events.IncidentAssigned, **words)
    else:
        accept(search, "09:40")
        search.happens("09:40", events.IncidentAcknowledged, by="person:bruno")
    return search


@pytest.mark.parametrize("by_assignment", [False, True])
def test_who_accepts_a_p1_and_falls_asleep_is_reminded_and_people_are_paged_again(
    *, by_assignment: bool
) -> None:
    search = accepted(by_assignment=by_assignment)

    said = search.passes("10:10")
    assert said == [
        REMINDED,
        "reminder → bruno",
        LAPSED,
        "10:10 page bruno",
        "page → bruno",
    ]
    assert search.case.post.accepted_by is None
    assert accept(search, "10:12") != []


@pytest.mark.parametrize(
    ("policy", "priority"),
    [
        (SILENT, "p3"),
        (valmont(("acknowledged_for: 4h ", "accepted_for: never ")), "p1"),
        (valmont(("acknowledged_for: 4h ", "acknowledged_for: never ")), "p1"),
    ],
)
def test_no_acceptance_lapses_that_may_wait_or_for_which_the_policy_says_never(
    policy: Policy, priority: str
) -> None:
    assert accepted(policy, priority).passes("18:00") == []


def test_under_a_policy_that_was_applied_before_no_acceptance_lapses() -> None:
    search = acknowledged(priority="p1")  # with a limit for acknowledgements alone

    accept(search, "10:00")
    assert search.passes("18:00") == []


@pytest.mark.parametrize("assignee", ["bruno", "chloe"])
def test_an_acceptance_lasts_from_an_update_or_an_assignment_on(assignee: str) -> None:
    search = accepted()
    search.happens("10:00", events.IncidentNoted, note="x")
    assert LAPSED not in search.passes("10:20")
    words = {"team": "support", "assignee": assignee}
    search.happens("10:20", events.IncidentAssigned, **words)

    assert search.passes("10:49") == [REMINDED, f"reminder → {assignee}"]
    assert LAPSED in search.passes("10:50")


def test_repeating_an_acceptance_says_nothing_and_keeps_nothing() -> None:
    search = accepted()

    assert accept(search, "10:00") == []
    assert LAPSED in search.passes("10:10")


def test_what_another_team_is_given_is_sought_for_afresh() -> None:
    search = accepted()
    search.happens("10:00", events.IncidentAssigned, team="etudes", assignee=None)

    assert LAPSED not in search.passes("18:00")


def test_a_raised_priority_begins_the_shorter_time() -> None:
    search = acknowledged(applied(SILENT))
    raised = {"priority": "p1", "impact": "high", "urgency": "high", "service": "paie"}
    search.happens("12:00", events.IncidentClassified, **raised)

    assert LAPSED not in search.passes("12:29")
    assert LAPSED in search.passes("12:30")


@pytest.mark.parametrize(
    "pause",
    [
        {"reason": "vendor"},
        {"reason": "user", "question": "Quel mois ?", "awaits_delivery": True},
    ],
)
def test_it_does_not_lapse_while_the_incident_is_paused(pause: dict[str, Any]) -> None:
    search = acknowledged()
    search.happens("09:50", events.IncidentPaused, **pause)

    assert search.passes("12:00") == []
    search.happens("12:00", events.IncidentResumed, cause="agent")
    assert LAPSED in search.passes("12:40")


def test_who_is_given_it_by_somebody_else_keeps_it() -> None:
    search = acknowledged()
    search.happens("09:50", events.IncidentAssigned, team="support", assignee="chloe")

    assert search.passes("18:00") == []


def test_a_p1_that_somebody_acknowledged_and_another_was_given_lapses_as_accepted() -> (
    None
):
    search = acknowledged(applied(SILENT), priority="p1")
    search.happens("09:50", events.IncidentAssigned, team="support", assignee="chloe")

    assert LAPSED not in search.passes("10:19")
    assert LAPSED in search.passes("10:20")


def test_a_p1_that_goes_to_the_team_of_who_acknowledged_it_lapses_as_accepted() -> None:
    search = Search(applied(SILENT))
    search.opened("09:10", priority="p1")
    search.happens("09:12", events.IncidentAcknowledged, by="person:bruno")
    search.happens("09:15", events.IncidentAssigned, team="support", assignee=None)

    assert search.case.post.accepted_by == "bruno"
    assert LAPSED not in search.passes("09:44")
    assert LAPSED in search.passes("09:45")


def test_the_assignment_that_comes_with_an_acknowledgement_does_not_keep_it() -> None:
    search = acknowledged()
    words = {"team": "support", "assignee": "bruno", "by": "person:bruno"}
    search.happens("09:40", events.IncidentAssigned, **words)

    assert search.passes("10:20") == AGAIN


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (
            # The step that it would hold back was made before.
            "{after: 0m,  page: {who: on_call}}",
            "{after: 0m, unless: acknowledged, page: {who: on_call}}",
        ),
    ],
)
def test_what_the_desk_acknowledges_does_not_lapse_while_people_are_paged(
    steps: tuple[str, str] | tuple[()],
) -> None:
    changes = [("acknowledged_for: 4h ", "acknowledged_for: 40m ")]
    search = acknowledged(valmont(*changes, *([steps] if steps else [])), by="nadia")

    assert "09:45 page chloe" in search.passes("10:00")
    assert {REMINDED, LAPSED}.isdisjoint(search.passes("12:00"))


def test_steps_until_an_acknowledgement_go_on_when_it_lapses() -> None:
    policy = valmont(
        ("acknowledged_for: 4h ", "acknowledged_for: 40m "),
        (
            "    - {after: 15m, unless: accepted, page: {who: next}}\n",
            "    - {after: 15m, unless: acknowledged, page: {who: next}}\n",
        ),
    )
    search = acknowledged(policy, by="nadia")

    assert "09:45 page chloe" not in search.passes("10:00")
    assert "10:35 page chloe" in search.passes("10:35")


def test_at_n1_it_does_not_lapse() -> None:
    search = Search(LAPSING)
    search.opened("09:10", priority="p4")
    search.happens("09:12", events.IncidentAcknowledged)

    assert LAPSED not in search.passes("11:00")
