"""Whoever shows wrong keys has to wait; what waits is the address, by its own count."""

from shared.http.wrong_keys import WRONG_KEYS, WRONG_KEYS_OF_ALL, WrongKeys

HERE, THERE = "192.0.2.7", "192.0.2.8"
BURST = int(WRONG_KEYS.burst)


class Clock:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def wrong(keys: WrongKeys, times: int) -> None:
    for _ in range(times):
        keys.count(HERE)


def test_so_many_wrong_keys_may_come_and_then_one_has_to_wait() -> None:
    keys = WrongKeys(Clock())
    wrong(keys, BURST - 1)
    assert keys.wait(HERE) == 0

    wrong(keys, 1)

    assert keys.wait(HERE) == round(1 / WRONG_KEYS.per_second)
    assert keys.wait(THERE) == 0


def test_who_goes_on_waits_no_longer_than_who_stops() -> None:
    keys = WrongKeys(Clock())
    wrong(keys, 50 * BURST)

    assert keys.wait(HERE) == round(1 / WRONG_KEYS.per_second)


def test_after_a_while_another_may_be_tried_and_later_all_is_forgotten() -> None:
    clock = Clock()
    keys = WrongKeys(clock)
    wrong(keys, BURST)

    clock.seconds += 1 / WRONG_KEYS.per_second
    assert keys.wait(HERE) == 0
    keys.count(HERE)
    assert keys.wait(HERE) > 0
    clock.seconds += BURST / WRONG_KEYS.per_second
    assert keys.wait(HERE) == 0
    assert not keys._buckets


def test_keys_from_ever_new_addresses_wait_for_each_other() -> None:
    clock = Clock()
    keys = WrongKeys(clock)
    for n in range(int(WRONG_KEYS_OF_ALL.burst)):
        assert keys.wait(f"2001:db8:{n:x}::/64") == 0
        keys.count(f"2001:db8:{n:x}::/64")

    assert keys.wait(THERE) == 1
    clock.seconds += 1
    assert keys.wait(THERE) == 0


def test_however_many_addresses_there_are_few_are_remembered() -> None:
    keys = WrongKeys(Clock(), addresses_max=3)
    for n in range(100):
        keys.count(f"192.0.2.{n}")

    assert len(keys._buckets) == 3
