"""A process knows PostgreSQL's time, and tells a wrong host from a slow one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import ticks
from shared.database.server_clock import LOOK_AGAIN_SECONDS, SKEW_MAX, ServerClock
from shared.eventlog.errors import Unavailable, WrongClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOUND = SKEW_MAX.total_seconds()


@dataclass
class World:
    """True time, and a host whose clock is off; each question takes `trip` seconds."""

    passed: float = 0.0
    trip: float = 0.002
    off: float = 0.0
    asleep: float = 0.0
    away: bool = False
    asked: int = 0

    def ask(self) -> datetime:
        self.asked += 1
        if self.away:
            raise Unavailable("PostgreSQL is away")
        self.passed += self.trip / 2
        instant = self.true()
        self.passed += self.trip / 2
        return instant

    def true(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def wall(self) -> datetime:
        return self.true() + timedelta(seconds=self.off)

    def ticks(self) -> float:
        return self.passed - self.asleep

    def clock(self) -> ServerClock:
        return ServerClock(self.ask, wall=self.wall, ticks=self.ticks)


def refused(clock: ServerClock) -> str | None:
    try:
        clock.demand_right()
    except WrongClock as error:
        return str(error)
    return None


def ready(clock: ServerClock) -> bool:
    return asyncio.run(clock.probe()).ready


@pytest.mark.parametrize("off", [0.0, 3.0, -3.0, 18_000.0])
def test_it_shows_the_servers_time_whatever_the_host_shows(off: float) -> None:
    world = World(off=off)
    clock = world.clock()

    for seconds in (0.0, 0.5, 60.0, 3_600.0):
        world.passed += seconds
        assert abs(clock() - world.true()) <= clock.last_look.error


def test_it_counts_on_while_the_server_is_away() -> None:
    world = World()
    clock = world.clock()
    world.away = True
    world.passed += 600

    with pytest.raises(Unavailable):
        clock.look()
    assert clock() == world.true()
    assert refused(clock) is None


@pytest.mark.parametrize(
    ("off", "wrong"),
    [
        (0.0, False),
        (BOUND - 0.1, False),
        (-BOUND + 0.1, False),
        (BOUND + 0.1, True),
        (-BOUND - 0.1, True),
        (18_000.0, True),
    ],
)
def test_a_host_further_off_than_the_bound_is_wrong(off: float, wrong: bool) -> None:
    clock = World(off=off).clock()

    assert (refused(clock) is not None) == wrong
    assert ready(clock) == (not wrong)


@pytest.mark.parametrize(
    ("off", "words"), [(5.0, "5.0 s ahead of"), (-5.0, "5.0 s behind")]
)
def test_it_says_by_how_much_and_what_to_do(off: float, words: str) -> None:
    clock = World(off=off).clock()
    said = refused(clock)

    assert said
    assert f"the clock of this host is {words} PostgreSQL's" in said
    assert "time server" in said
    assert asyncio.run(clock.probe()).words["why"] == said


@pytest.mark.parametrize("off", [0.0, 1.9, -1.9, 2.5, -2.5])
def test_a_starved_host_is_slow_and_not_wrong(off: float) -> None:
    """The answer took so long that its clock may have been right all the while."""
    clock = World(off=off, trip=30.0).clock()

    assert refused(clock) is None
    assert ready(clock)


def test_it_recovers_by_itself_once_the_clock_is_set() -> None:
    world = World(off=5.0)
    clock = world.clock()
    assert refused(clock)

    world.off = 0.0
    world.passed += LOOK_AGAIN_SECONDS + 0.1

    assert refused(clock) is None
    assert ready(clock)


def test_a_clock_that_jumps_is_noticed_by_the_very_next_transaction() -> None:
    world = World()
    clock = world.clock()
    assert refused(clock) is None

    world.off = 3_600.0

    assert refused(clock)


def test_a_machine_that_slept_looks_before_it_writes() -> None:
    world = World()
    clock = world.clock()
    world.passed += 18_000
    world.asleep = 18_000  # its monotonic clock stood still

    assert refused(clock) is None
    assert abs(clock() - world.true()) <= clock.last_look.error


def test_while_all_is_well_nobody_asks_the_server() -> None:
    world = World()
    clock = world.clock()
    for _ in range(100):
        world.passed += 0.1
        clock.demand_right()
        clock()

    assert world.asked == 1


def test_a_slow_answer_does_not_spoil_what_is_known_exactly() -> None:
    world = World()
    clock = world.clock()
    world.trip = 1.5
    clock.look()

    assert clock.last_look.error < timedelta(milliseconds=2)


def test_a_server_whose_clock_is_set_is_followed() -> None:
    world = World()
    clock = world.clock()
    before = world.ask

    def set_back() -> datetime:
        return before() - timedelta(seconds=1)

    clock._ask = set_back
    world.trip = 0.5
    clock.look()

    assert abs(clock() - (world.true() - timedelta(seconds=1))) < timedelta(seconds=0.3)


def test_monotonic_time_passes() -> None:
    began = ticks()
    assert ticks() >= began


def test_one_at_a_time_asks_the_server() -> None:
    world = World()
    clock = world.clock()
    nested: list[Callable[[], object]] = [clock.look]
    ask = world.ask

    def asking() -> datetime:
        while nested:
            nested.pop()()
        return ask()

    clock._ask = asking
    clock.look()

    assert world.asked == 2
