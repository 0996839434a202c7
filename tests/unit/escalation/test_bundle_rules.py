"""When a contact method may get one more page, as GoAlert's limits say."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.escalation.bundles.rules import kept, next_at
from shared.domain.events.notification import Channel
from shared.domain.policy.teams import (
    ChannelLimit,
    ChannelRule,
    limits_of,
    with_limits_that_apply,
)

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
SMS = limits_of({}, "sms")


def ago(*minutes: float) -> list[datetime]:
    """Return these instants before noon, the oldest first."""
    return [NOON - timedelta(minutes=each) for each in minutes]


def waits(channel: Channel, *minutes: float) -> timedelta:
    """Return how long a page waits at noon after others left so many minutes ago."""
    return next_at(ago(*minutes), limits_of({}, channel), NOON) - NOON


@pytest.mark.parametrize(
    ("channel", "sent", "wait"),
    [
        ("sms", (), "0:00:00"),
        ("sms", (0.5,), "0:00:30"),  # one a minute
        ("sms", (1,), "0:00:00"),
        ("sms", (10, 8, 6, 4, 2), "0:05:00"),  # five in 15 minutes
        ("voice", (10, 8, 6), "0:05:00"),  # but only three calls
        # Within the hour one more a part of 45 / (11 - 5) minutes, once 15 have passed.
        ("sms", (30, 28, 26, 24, 22), "0:00:00"),
        ("sms", (30, 28, 26, 24, 22, 2), "0:00:00"),
        ("sms", (30, 28, 26, 24, 22, 3, 2), "0:00:00"),
        ("sms", (30, 28, 26, 24, 22, 4, 3, 2), "0:07:30"),
        ("ntfy", (0.04, 0.03, 0.02, 0.01), "0:00:00"),
        ("ntfy", (0.05, 0.04, 0.03, 0.02, 0.01), "0:00:02"),  # five in 5 seconds
        ("mail", (0.1,) * 99, "0:00:00"),
    ],
)
def test_a_page_waits_until_every_limit_of_its_channel_allows_one_more(
    channel: Channel, sent: tuple[float, ...], wait: str
) -> None:
    assert str(waits(channel, *sent)) == wait


def test_at_the_instant_that_is_given_one_page_may_leave_and_not_before() -> None:
    """A flood of three hours: each page leaves as soon as it is allowed to."""
    sent: list[datetime] = []
    now = NOON
    while now < NOON + timedelta(hours=3):
        now = next_at(sent, SMS, now)
        before = now - timedelta(microseconds=1)
        assert next_at(sent, SMS, before) == now or not sent
        sent.append(now)

    for limit in SMS:
        for since in sent:
            inside = [each for each in sent if since <= each < since + limit.within]
            assert len(inside) <= limit.messages
    assert len(sent) >= 21  # no less than the longest limit allows


def test_instants_that_count_for_no_limit_are_not_kept() -> None:
    assert kept(ago(181, 179, 1), SMS, NOON) == ago(179, 1)


def test_an_instant_of_a_clock_that_was_far_ahead_is_not_kept() -> None:
    """A clock that was a day ahead would hold back every page for a day."""
    assert kept(ago(1, -0.5, -24 * 60), SMS, NOON) == ago(1, -0.5)


@pytest.mark.parametrize(
    ("limits", "wrong"),
    [
        (
            [{"messages": 2, "within": "1h"}, {"messages": 3, "within": "1m"}],
            "shortest",
        ),
        (
            [{"messages": 2, "within": "1m"}, {"messages": 2, "within": "1h"}],
            "shortest",
        ),
        ([{"messages": 0, "within": "1m"}], "greater than or equal to 1"),
        ([{"messages": 1, "within": "25h"}], "24h at most"),
        ([{"messages": n, "within": f"{n}m"} for n in range(1, 8)], "at most 6"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    limits: list[dict[str, object]], wrong: str
) -> None:
    with pytest.raises(ValidationError, match=wrong):
        ChannelRule.model_validate({"limits": limits})


def test_limits_of_mail_would_have_no_effect_and_are_refused() -> None:
    rule = ChannelRule(limits=SMS)

    assert with_limits_that_apply({"sms": rule}) == {"sms": rule}
    with pytest.raises(ValueError, match="`mail` has no limits"):
        with_limits_that_apply({"mail": rule})


def test_the_policy_sets_other_limits_or_none() -> None:
    own = (ChannelLimit.model_validate({"messages": 9, "within": "1h"}),)

    assert limits_of({"sms": ChannelRule(limits=own)}, "sms") == own
    assert limits_of({"sms": ChannelRule(limits=())}, "sms") == ()
    assert limits_of({"sms": ChannelRule(internal=True)}, "sms") == SMS
