"""A preview says what the policy would do; and that is what it does."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.rules.preview import preview
from shared.domain import events
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
    Sent,
)
from shared.domain.identifiers import escalation_stream
from shared.domain.policy.document import Policy
from tests.support.builders.escalation import Search, knowing
from tests.support.builders.promises import INCIDENT, PARIS, VALMONT, local, valmont
from tests.support.examples import examples

POLICY = valmont(
    (
        "    - {after: 0m,  page: {who: on_call}}\n",
        (
            "    - {after: 0m, priorities: [p1, p2], "
            "page: [{who: on_call}, {channel: webhook}]}\n"
            "    - {after: 5m, priorities: [p3], quiet: true, page: {who: members}}\n"
        ),
    ),
)

OF_A_TEAM = valmont(
    (
        "    - {after: 0m,  page: {who: on_call}}\n",
        "    - {after: 0m, repeat: 2, page: [{channel: ops}, {who: on_call}]}\n",
    ),
    (
        "schedule: astreinte}",
        "schedule: astreinte, channels: {ops: {channel: slack, to: C0123ABCD}}}",
    ),
)

BY_TURNS = valmont(
    (
        "    - {after: 0m,  page: {who: on_call}}\n",
        (
            "    - {after: 0m, repeat: 3, answer_within: 4m, acknowledgements: 2, "
            "page: {who: members, round_robin: true}}\n"
        ),
    ),
)


def previewed(
    at: datetime, policy: Policy = POLICY, *, webhook: bool = True, **words: object
) -> EscalationPreview:
    question = PreviewEscalation.model_validate({"service": "vpn"} | words)
    return preview(question, at, 1, policy, knowing(policy, webhook=webhook))


def in_short(found: EscalationPreview) -> list[str]:
    return [
        f"{int((each.at - found.at).total_seconds()) // 60}: {each.kind} "
        f"{'+'.join(each.people) or each.team or ''}"
        for each in found.items
    ]


def test_it_lists_who_is_told_when_and_ends_with_the_manager() -> None:
    found = previewed(local("09:10"), priority="p2", team="support")

    assert in_short(found) == [
        "0: escalated support",
        "0: paged bruno",
        "0: paged support",
        "15: paged chloe",
        "30: paged sylvie",
        "45: paged sylvie",
        "60: unanswered support",
        "60: exhausted sylvie",
    ]
    first = found.items[1]
    assert (first.step, first.who, first.schedule) == (1, "on_call", "astreinte")
    assert {(each.person, each.channel) for each in first.sent} == {
        ("bruno", "mail"),
        (None, "webhook"),
    }
    assert [(each.step, each.why) for each in found.left_out] == [(2, "priority")]


def test_without_a_team_it_begins_with_the_time_at_the_desk() -> None:
    found = previewed(local("09:10"), priority="p2")

    assert in_short(found)[:2] == ["20: escalated support", "20: paged bruno"]
    assert found.items[0].cause == "dwell"


def test_what_wakes_nobody_is_sent_by_mail_only() -> None:
    found = previewed(local("09:10"), priority="p3", team="support")
    page = found.items[1]

    assert page.quiet
    assert {each.channel for each in page.sent} == {"mail"}


instants = st.integers(0, 60 * 24 * 21).map(
    lambda minutes: local("09:10") + timedelta(minutes=minutes)
)


def ways(search: Search, page: events.EscalationPaged) -> set[Sent]:
    """Return how a page was sent."""
    return {
        Sent(person=each.person, channel=each.channel, team_channel=each.team_channel)
        for _, version, paged in search.desk.decided
        for each in search.said
        if paged is page
        and isinstance(each, events.NotificationRequested)
        and (each.cause_stream, each.cause_version)
        == (escalation_stream(INCIDENT), version)
    }


@examples(25)
@given(
    instants,
    st.sampled_from(["p1", "p2", "p3", "p4"]),
    st.sampled_from(["vpn", "paie", "portail"]),
    st.sampled_from([VALMONT, POLICY, BY_TURNS, OF_A_TEAM]),
)
def test_the_preview_is_what_then_happens(
    at: datetime, priority: str, service: str, policy: Policy
) -> None:
    found = previewed(at, policy, priority=priority, service=service)
    search = Search(policy, webhook=True)
    when = f"{at.astimezone(PARIS):%m-%d %H:%M}"
    search.opened(when, priority=priority, service=service, origin="monitoring")
    until = max((each.at for each in found.items), default=at)
    while (due := search.desk.next_at()) is not None and due <= until:
        search.desk.reach(due, due)

    paged = [e for e in search.said if isinstance(e, events.EscalationPaged)]
    expected = [each for each in found.items if each.kind == "paged"]
    assert [
        (e.due_at, e.level, e.step + 1, e.loop, e.people, e.quiet, ways(search, e))
        for e in paged
    ] == [
        (e.at, e.level, e.step, e.loop, e.people, e.quiet, {*e.sent}) for e in expected
    ]
    moves = [e for e in search.said if isinstance(e, events.Escalated)]
    assert [(e.escalated_at, e.to_level, e.team, e.cause) for e in moves] == [
        (e.at, e.level, e.team, e.cause) for e in found.items if e.kind == "escalated"
    ]
    told = [e for e in search.said if isinstance(e, events.EscalationExhausted)]
    ends = [each.at for each in found.items if each.kind == "exhausted"]
    assert [each.exhausted_at for each in told] == ends


def test_the_channel_of_a_team_is_listed_by_its_name() -> None:
    found = previewed(local("09:10"), OF_A_TEAM, priority="p1", team="support")
    page = found.items[1]

    assert (page.kind, page.who, page.team_channel) == ("paged", "channel", "ops")
    assert page.sent == (Sent(channel="slack", team_channel="ops"),)


@pytest.mark.parametrize("channel", [True, False])
def test_a_channel_is_listed_only_if_there_is_a_receiver(channel: bool) -> None:
    found = previewed(local("09:10"), priority="p1", team="support", webhook=channel)
    channels = {each.channel for item in found.items for each in item.sent}

    assert channels == ({"mail", "webhook"} if channel else {"mail"})
