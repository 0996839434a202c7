"""Whoever shows wrong keys has to wait; what waits is the address, by its own count."""

from ipaddress import ip_address

from services.intake.gate.api_keys import WRONG_KEYS, Guesses

HERE, THERE = ip_address("192.0.2.7"), ip_address("192.0.2.8")
BURST = int(WRONG_KEYS.burst)


class Clock:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def wrong(guesses: Guesses, times: int) -> None:
    for _ in range(times):
        guesses.wrong(HERE)


def test_so_many_wrong_keys_may_come_and_then_one_has_to_wait() -> None:
    guesses = Guesses(Clock())
    wrong(guesses, BURST - 1)
    assert guesses.wait(HERE) == 0

    wrong(guesses, 1)

    assert guesses.wait(HERE) == round(1 / WRONG_KEYS.per_second)
    assert guesses.wait(THERE) == guesses.wait(None) == 0


def test_who_goes_on_waits_no_longer_than_who_stops() -> None:
    guesses = Guesses(Clock())
    wrong(guesses, 50 * BURST)

    assert guesses.wait(HERE) == round(1 / WRONG_KEYS.per_second)


def test_after_a_while_another_may_be_tried_and_later_all_is_forgotten() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    wrong(guesses, BURST)

    clock.seconds += 1 / WRONG_KEYS.per_second
    assert guesses.wait(HERE) == 0
    guesses.wrong(HERE)
    assert guesses.wait(HERE) > 0
    clock.seconds += BURST / WRONG_KEYS.per_second
    assert guesses.wait(HERE) == 0
    assert not guesses.any


def test_all_addresses_of_one_line_are_one() -> None:
    guesses = Guesses(Clock())
    for n in range(BURST):
        guesses.wrong(ip_address(f"2001:db8:0:7::{n + 1:x}"))

    assert guesses.wait(ip_address("2001:db8:0:7:ffff::1")) > 0
    assert guesses.wait(ip_address("2001:db8:0:8::1")) == 0


def test_however_many_addresses_there_are_few_are_remembered() -> None:
    guesses = Guesses(Clock(), addresses_max=3)
    for n in range(100):
        guesses.wrong(ip_address(n))

    assert len(guesses._buckets) == 3
