"""Trying again: soon, then rarely, for a day, and each key in its own rhythm."""

from datetime import UTC, datetime, timedelta

import pytest

from services.escalation.notifications.channels.retry import (
    DELAY_MAX,
    FIRST_DELAY,
    RETRIED_FOR,
    RETRY_AFTER_MAX,
    SPREAD_PERCENT,
    attempts_within,
    next_attempt,
)

AT = datetime(2025, 6, 30, 8, tzinfo=UTC)
ATTEMPTS_MAX = attempts_within(RETRIED_FOR)
LEAST = 1 - SPREAD_PERCENT / 100


def wait(
    attempts: int, key: str = "one", retry_after: timedelta | None = None
) -> timedelta:
    at = next_attempt(key, attempts, AT, retry_after)
    assert at is not None
    return at - AT


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (10, 900), (ATTEMPTS_MAX - 1, 900)],
)
def test_each_wait_is_twice_the_one_before_up_to_a_cap(
    attempts: int, seconds: int
) -> None:
    full = timedelta(seconds=seconds)

    assert full * LEAST <= wait(attempts) <= full


def test_it_is_given_up_after_the_last_attempt() -> None:
    assert next_attempt("one", ATTEMPTS_MAX, AT) is None
    assert next_attempt("one", ATTEMPTS_MAX + 1, AT) is None


def test_the_full_delays_make_a_day() -> None:
    doubled = [FIRST_DELAY * 2**before for before in range(20)]
    rising = [delay for delay in doubled if delay < DELAY_MAX]
    capped = DELAY_MAX * (ATTEMPTS_MAX - 1 - len(rising))

    whole = sum(rising, capped)

    assert timedelta() <= timedelta(hours=24) - whole < DELAY_MAX


@pytest.mark.parametrize(
    ("span", "attempts"),
    [
        (timedelta(), 1),
        (timedelta(minutes=10), 7),
        (timedelta(hours=24), 103),
        (timedelta(hours=48), 199),
    ],
)
def test_a_channel_says_for_how_long_it_is_tried(
    span: timedelta, attempts: int
) -> None:
    assert attempts_within(span) == attempts
    assert next_attempt("one", attempts, AT, retried_for=span) is None
    if attempts > 1:
        assert next_attempt("one", attempts - 1, AT, retried_for=span) is not None


def test_keys_that_failed_together_come_back_apart_and_always_the_same() -> None:
    waits = {wait(9, key=f"key-{number}") for number in range(100)}

    assert len(waits) == 100
    assert waits == {wait(9, key=f"key-{number}") for number in range(100)}
    assert max(waits) - min(waits) > DELAY_MAX * (SPREAD_PERCENT / 100) * 0.8


def test_we_wait_as_long_as_we_are_asked_to() -> None:
    assert wait(1, retry_after=timedelta(minutes=2)) == timedelta(minutes=2)


def test_we_do_not_come_sooner_because_we_may() -> None:
    assert wait(9, retry_after=timedelta(seconds=1)) == wait(9)


def test_we_do_not_wait_for_ever_because_we_are_asked_to() -> None:
    assert wait(1, retry_after=timedelta(days=9)) == RETRY_AFTER_MAX
