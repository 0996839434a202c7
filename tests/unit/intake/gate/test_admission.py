"""A source above its rate or quota has to wait, and hears how long."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.gate.admission import ELEMENT_BYTES, Admission
from services.intake.gate.gate import come_again
from shared.domain.policy.sources import DEFAULT_RATE, Monitor, Quota, Rate, Source

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)


class Desk:
    """An admission whose clocks and policy a test sets."""

    def __init__(
        self, rate: Rate | None = None, quota: Quota | None = None, workers: int = 1
    ) -> None:
        self.rules: dict[str, Source] = {
            "demo": Monitor(type="native", rate=rate, quota=quota)
        }
        self.seconds = 0.0
        self.now = NOON
        self.admission = Admission(
            self.rules.get, lambda: self.now, workers, lambda: self.seconds
        )

    def waits(self) -> int:
        allowance = self.admission.ask("demo")
        return allowance.wait if allowance else 0

    def let_in(self, times: int) -> int:
        return sum(not self.waits() for _ in range(times))


TEN = Rate(per_second=10, burst=20)


def test_a_source_without_a_rate_has_the_default_one() -> None:
    desk = Desk()

    assert desk.let_in(DEFAULT_RATE.burst + 10) == DEFAULT_RATE.burst
    desk.seconds += 1
    assert desk.let_in(DEFAULT_RATE.burst) == DEFAULT_RATE.per_second


def test_sources_that_the_policy_does_not_name_share_it_and_take_no_memory() -> None:
    desk = Desk()

    asked = [desk.admission.ask(f"n{n}") for n in range(DEFAULT_RATE.burst + 10)]

    assert sum(allowance is None for allowance in asked) == DEFAULT_RATE.burst
    assert len(desk.admission._buckets) == 1
    assert not desk.waits()


def test_after_a_rest_a_burst_may_come_and_then_as_much_as_flows_in() -> None:
    desk = Desk(TEN)

    assert desk.let_in(100) == 20
    desk.seconds += 1
    assert desk.let_in(100) == 10
    desk.seconds += 3_600
    assert desk.let_in(100) == 20


def test_who_has_to_wait_hears_how_long_and_comes_in_then() -> None:
    desk = Desk(Rate(per_second=1, burst=1))
    desk.let_in(1)

    wait = desk.waits()

    assert wait == 1
    desk.seconds += wait
    assert not desk.waits()


def test_asking_too_early_costs_nothing() -> None:
    desk = Desk(Rate(per_second=1, burst=1))
    desk.let_in(1)

    for _ in range(100):
        desk.let_in(1)
        desk.seconds += 0.005
    desk.seconds += 0.5

    assert not desk.waits()


def test_an_array_is_taken_whole_and_its_elements_are_paid_back() -> None:
    desk = Desk(TEN)

    assert not desk.waits()
    desk.admission.charge("demo", 100)

    assert desk.waits() == 9  # 80 missing, and one whole token
    desk.seconds += 8.2
    assert not desk.waits()


@pytest.mark.parametrize(
    ("elements", "size", "cost"),
    [
        (1, 0, 1),
        (1, ELEMENT_BYTES, 1),
        (1, ELEMENT_BYTES + 1, 2),
        (1, 10 * ELEMENT_BYTES, 10),
        (12, 10 * ELEMENT_BYTES, 12),
    ],
)
def test_large_elements_cost_as_many_as_their_bytes_would_hold(
    elements: int, size: int, cost: int
) -> None:
    desk = Desk(TEN, Quota(per_day=100))

    assert not desk.waits()
    desk.admission.charge("demo", elements, size)

    rate, quota = desk.admission.limits("demo")
    assert (TEN.burst - rate.remaining, 100 - quota.remaining) == (cost, elements)


def test_a_quota_is_used_up_in_a_day_of_utc_and_begins_anew_at_midnight() -> None:
    desk = Desk(quota=Quota(per_day=3))

    assert desk.let_in(5) == 3
    assert desk.waits() == 12 * 3_600
    desk.now += timedelta(hours=12)
    assert desk.let_in(5) == 3


def test_what_other_processes_took_of_a_quota_counts_and_never_gives_back() -> None:
    desk = Desk(quota=Quota(per_day=100))
    desk.let_in(10)

    desk.admission.recall("demo", NOON.date(), 95)
    desk.admission.recall("demo", NOON.date(), 4)
    desk.admission.recall("demo", NOON.date() - timedelta(days=1), 100)

    assert desk.let_in(100) == 5


def test_a_rate_is_shared_by_the_processes_of_intake() -> None:
    desk = Desk(TEN, workers=4)

    assert desk.let_in(100) == 5
    desk.seconds += 1
    assert desk.let_in(100) == 2


def test_a_policy_that_takes_the_rate_away_takes_its_debts_away() -> None:
    desk = Desk(TEN)
    desk.let_in(100)

    desk.rules["demo"] = Monitor(type="native")

    assert desk.let_in(100) == 100


def test_what_is_left_stands_in_the_headers() -> None:
    desk = Desk(TEN)
    desk.let_in(5)

    (left,) = desk.admission.limits("demo")

    assert left
    assert left.raw_headers == [
        (b"x-ratelimit-limit", b"20"),
        (b"x-ratelimit-remaining", b"15"),
        (b"x-ratelimit-reset", b"1"),
    ]


def test_alertmanager_is_told_503_for_it_gives_up_on_a_429() -> None:
    assert come_again("alertmanager") == 503
    assert come_again("native") == come_again(None) == 429
