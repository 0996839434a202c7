"""How long events have waited without a step of the relay."""

from services.intake.relay.probe import Backlog
from services.intake.relay.relay import Tail


def at(position: int) -> Tail:
    return Tail(position, position, b"chain")


EMPTY = Tail(0, 0, None)


def test_a_stream_at_the_head_waits_for_nothing() -> None:
    backlog = Backlog()

    assert backlog.seen(7, at(7), 0.0, led=False) == 0.0
    assert backlog.waiting == 0


def test_time_counts_from_when_it_was_first_seen_behind() -> None:
    backlog = Backlog()

    assert backlog.seen(9, at(7), 100.0, led=False) == 0.0
    assert backlog.seen(12, at(7), 130.0, led=False) == 30.0
    assert backlog.waiting == 5


def test_each_step_begins_the_time_anew() -> None:
    backlog = Backlog()
    backlog.seen(9, at(7), 100.0, led=False)

    assert backlog.seen(20, at(8), 160.0, led=False) == 0.0
    assert backlog.seen(20, at(8), 170.0, led=False) == 10.0
    assert backlog.seen(20, at(20), 180.0, led=False) == 0.0


def test_an_empty_stream_goes_on_from_the_head_it_was_seen_at() -> None:
    backlog = Backlog()

    assert backlog.seen(9, EMPTY, 0.0, led=False) == 0.0
    assert backlog.waiting == 0
    backlog.seen(11, EMPTY, 10.0, led=False)
    assert backlog.seen(11, EMPTY, 50.0, led=False) == 40.0
    assert backlog.waiting == 2


def test_a_relay_begins_an_empty_stream_at_the_head() -> None:
    backlog = Backlog()
    backlog.seen(9, EMPTY, 0.0, led=False)
    backlog.seen(11, EMPTY, 10.0, led=False)

    assert backlog.seen(11, EMPTY, 50.0, led=True) == 0.0
    assert backlog.waiting == 0


def test_no_stream_and_one_of_another_log_hold_nothing_of_ours() -> None:
    missing, foreign = Backlog(), Backlog()

    missing.seen(9, None, 0.0, led=False)
    foreign.seen(9, at(500), 0.0, led=False)

    assert missing.seen(9, None, 40.0, led=False) == 40.0
    assert foreign.seen(9, at(500), 40.0, led=False) == 40.0
    assert (missing.waiting, foreign.waiting) == (9, 9)


def test_an_empty_log_beside_no_stream_waits_for_nothing() -> None:
    backlog = Backlog()

    assert backlog.seen(0, None, 0.0, led=False) == 0.0
    assert backlog.seen(0, None, 99.0, led=False) == 0.0
