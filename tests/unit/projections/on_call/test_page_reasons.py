"""Why a person was paged for an incident, or was not, from what the log says."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import pytest

from services.projections.history.paging import StepResult, steps_about
from services.projections.history.paging_account import Duty, Reader, sentences
from shared.domain import events
from shared.domain.contact_methods import ContactMethod, ContactMethods
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, VALMONT, local, shown, valmont

WITH_HOURS = valmont(
    (
        "{after: 15m, unless: accepted",
        '{after: 15m, hours: {mon-fri: ["12:00-14:00"]}, unless: accepted',
    )
)


def past(search: Search) -> Sequence[Entry]:
    """Return the log after what happened, in the order of instants."""
    decided = [
        Entry(0, stream, version, event.type, event.at, None, event)
        for stream, version, event in search.desk.decided
    ]
    ordered = sorted([*search.log, *decided], key=attrgetter("recorded_at"))
    return [replace(each, position=n) for n, each in enumerate(ordered, 1)]


def results(
    search: Search, person: str, policy: Policy = VALMONT
) -> Sequence[StepResult]:
    return steps_about(past(search), person, lambda _: policy)


def brief(steps: Sequence[StepResult]) -> list[str]:
    return [
        f"{each.level} step {each.step} {each.reason}"
        + (f" {shown(each.at)}" if each.at else "")
        for each in steps
    ]


@pytest.fixture
def taken() -> Search:
    """Give an incident that bruno was paged for at 09:30, and chloe took at 09:52."""
    search = Search()
    search.opened("09:10")
    search.passes("09:45")
    words = {"team": "support", "assignee": "chloe", "by": "person:chloe"}
    search.happens("09:52", events.IncidentAssigned, **words)
    search.happens("09:52", events.IncidentAcknowledged, by="person:chloe")
    search.passes("12:00")
    return search


def test_each_step_says_why_it_paged_a_person_or_did_not(taken: Search) -> None:
    assert brief(results(taken, "bruno"))[:2] == [
        "n2 step 1 on_call 09:30",
        "n2 step 2 not_on_call 09:45",
    ]
    assert brief(results(taken, "chloe"))[:2] == [
        "n2 step 1 not_on_call 09:30",
        "n2 step 2 next 09:45",
    ]


def test_steps_after_an_acceptance_say_that_they_were_not_needed(taken: Search) -> None:
    left = results(taken, "amina")[2:]

    assert {each.reason for each in left} == {"accepted"}
    assert {each.at for each in left} == {local("09:52")}


def test_a_step_for_other_priorities_paged_nobody() -> None:
    only_p1 = valmont(("{after: 0m,  page", "{after: 0m, priorities: [p1], page"))
    search = Search(only_p1)
    search.opened("09:10")
    search.passes("09:50")

    assert brief(results(search, "bruno", only_p1))[0].startswith("n2 step 2")
    assert "n2 step 1 priority" in brief(results(search, "bruno", only_p1))


def test_a_step_for_the_priority_before_it_was_raised_says_so() -> None:
    step = "{after: 15m, unless: accepted"
    only_p2 = valmont((step, step.replace("15m,", "15m, priorities: [p2],")))
    search = Search(only_p2)
    search.opened("09:10")
    search.passes("09:35")
    raised = {"service": "paie", "impact": "high", "urgency": "high", "priority": "p1"}
    search.happens("09:40", events.IncidentClassified, **raised, by="person:nadia")
    search.passes("10:30")

    assert "n2 step 2 superseded 09:40" in brief(results(search, "chloe", only_p2))


def test_those_for_whom_it_was_too_early_were_left_out() -> None:
    search = Search(WITH_HOURS)
    search.opened("09:10")
    search.passes("09:50")

    assert "n2 step 2 out_of_hours 09:45" in brief(results(search, "chloe", WITH_HOURS))


def test_a_step_to_a_channel_of_a_team_leaves_nobody_out() -> None:
    policy = valmont(
        (
            "{after: 0m,  page: {who: on_call}}",
            "{after: 0m, page: [{channel: ops}, {who: on_call}]}",
        ),
        (
            "schedule: astreinte}",
            "schedule: astreinte, channels: {ops: {channel: ntfy}}}",
        ),
    )
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:31")

    steps = results(search, "bruno", policy)

    assert {each.reason for each in steps if each.step == 1} == {"on_call", "channel"}


def test_messages_show_the_method_by_its_id_and_what_was_not_needed() -> None:
    methods = ContactMethods(
        {
            "mail": ContactMethod("mail", "mail", is_verified=True),
            "bruno.2": ContactMethod("bruno.2", "sms", is_verified=True),
            "bruno.3": ContactMethod("bruno.3", "ntfy", is_verified=True),
        },
        None,
    )
    search = Search(methods={"bruno": methods})
    search.opened("09:10")
    search.passes("09:31")
    words = {"team": "support", "assignee": "bruno", "by": "person:bruno"}
    search.happens("09:32", events.IncidentAssigned, **words)
    search.happens("09:32", events.IncidentAcknowledged, by="person:bruno")
    search.passes("10:00")

    (first, *_) = results(search, "bruno")

    assert [(each.method, each.channel, each.state) for each in first.messages] == [
        ("mail", "mail", "requested"),
        ("bruno.2", "sms", "requested"),
        ("bruno.3", "ntfy", "not_needed"),
    ]


def test_a_page_that_limits_held_back_says_until_when_and_in_which_bundle_it_left() -> (
    None
):
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    requests = (e for e in search.said if isinstance(e, events.NotificationRequested))
    key = next(e.key for e in requests if (e.kind, e.person) == ("page", "bruno"))
    search.throttles("09:31", key, minutes=4)
    (waiting,) = results(search, "bruno")[0].messages
    common = {"at": local("09:35"), "by": "system:escalation", "incident": INCIDENT}
    bundle = f"{INCIDENT}.{'c2a55d58' * 4}"
    search.desk.record(events.NotificationSent(**common, key=key, bundle=bundle))
    (left,) = results(search, "bruno")[0].messages

    assert (waiting.state, shown(waiting.at)) == ("throttled", "09:35")
    assert (left.state, left.bundle) == ("sent", bundle)
    reader = Reader("en", "Europe/Paris", lambda _: False)
    told = sentences("bruno", local("10:00"), [], results(search, "bruno"), reader)
    assert f"It was part of the bundle {bundle}: several pages as one message." in told


def test_somebody_without_a_verified_method_is_named_as_such() -> None:
    search = Search(methods={"bruno": ContactMethods({}, None)})
    search.opened("09:10")
    search.passes("09:31")

    (first, *_) = results(search, "bruno")

    assert (first.is_paged, first.is_unverified) == (True, True)


@pytest.mark.parametrize("sees_others", [True, False])
def test_only_those_who_may_read_who_else_was_paged(
    taken: Search, *, sees_others: bool
) -> None:
    reader = Reader("en", "Europe/Paris", lambda _: sees_others)
    duty = Duty("astreinte", "primary", local("08:00"), "astreinte.3")
    steps = results(taken, "amina")

    told = sentences("amina", local("12:00"), [duty], steps, reader)

    assert any("astreinte.3" in line for line in told)
    assert any("not on call in astreinte" in line for line in told)
    assert any("bruno" in line for line in told) == sees_others


def test_after_an_acknowledgement_lapsed_the_steps_give_their_reasons_again() -> None:
    policy = valmont(("acknowledged_for: 4h ", "acknowledged_for: 40m "))
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:40", events.IncidentAcknowledged, by="person:bruno")
    search.passes("10:36")

    assert brief(results(search, "bruno", policy)) == [
        "n2 step 1 on_call 09:30",
        "n2 step 2 accepted 09:40",
        "n2 step 3 accepted 09:40",
        "n2 step 1 on_call 10:20",
        "n2 step 2 not_on_call 10:35",
        "n2 step 3 not_due 10:50",
    ]


def test_an_acknowledgement_after_a_lapse_is_a_reason_again() -> None:
    policy = valmont(
        ("acknowledged_for: 4h ", "acknowledged_for: 40m "),
        (
            "    - {after: 15m, unless: accepted, page: {who: next}}\n",
            "    - {after: 15m, unless: acknowledged, page: {who: next}}\n",
        ),
    )
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:30")
    words = {"team": "support", "assignee": "bruno"}
    search.happens("09:40", events.IncidentAssigned, **words)
    search.desk.record(
        events.EscalationAcknowledgementLapsed(
            at=local("10:20"),
            by="system:escalation",
            incident=INCIDENT,
            policy=1,
            cycle=1,
            level="n2",
            person="bruno",
            lapsed_at=local("10:20"),
        )
    )
    search.passes("10:21")
    search.happens("10:25", events.IncidentAcknowledged, by="person:nadia")

    assert "n2 step 2 acknowledged 10:25" in brief(results(search, "bruno", policy))


def test_a_step_that_is_still_to_come_after_a_refusal_was_not_left_out() -> None:
    search = Search()
    search.opened("09:10")
    search.passes("09:31")
    search.desk.record(
        events.EscalationDeclined(
            at=local("09:32"),
            by="person:bruno",
            incident=INCIDENT,
            policy=1,
            cycle=1,
            level="n2",
            page="key",
            person="bruno",
            next_step=1,
            next_loop=1,
        )
    )
    search.passes("09:32")

    assert brief(results(search, "bruno"))[1:] == [
        "n2 step 2 declined 09:32",
        "n2 step 3 not_due 09:47",
    ]
