"""Over NATS a rate makes messages wait, and never holds up other sources."""

from datetime import UTC, datetime

from services.intake.gate.admission import WAIT_SECONDS_MAX, Admission, Pace
from shared.domain.policy.sources import Monitor, Quota, Rate, Source

NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
RULES: dict[str, Source] = {
    "noisy": Monitor(type="native", rate=Rate(per_second=1, burst=2)),
    "poor": Monitor(type="native", quota=Quota(per_day=1)),
}


class Queue:
    """A pace on a clock that a test moves."""

    def __init__(self, waiting_max: int = 100) -> None:
        self.seconds = 0.0
        admission = Admission(RULES.get, lambda: NOW, 1, lambda: self.seconds)
        self.pace = Pace(admission, waiting_max, lambda: self.seconds)


def test_messages_above_the_rate_wait_and_others_do_not() -> None:
    queue = Queue()

    waits = [queue.pace.wait("noisy") > 0 for _ in range(4)]

    assert waits == [False, False, True, True]
    assert not queue.pace.wait("quiet")


def test_a_message_that_waited_comes_in() -> None:
    queue = Queue()
    for _ in range(3):
        wait = queue.pace.wait("noisy")

    queue.seconds += wait

    assert not queue.pace.wait("noisy")


def test_a_used_up_quota_is_looked_at_again_before_long() -> None:
    queue = Queue()
    queue.pace.wait("poor")

    assert queue.pace.wait("poor") == WAIT_SECONDS_MAX


def test_once_too_many_wait_the_rest_come_in_above_their_rate() -> None:
    queue = Queue(waiting_max=10)

    waits = [queue.pace.wait("noisy") > 0 for _ in range(100)]

    assert sum(waits) == 10
    queue.seconds += 1_000
    assert [queue.pace.wait("noisy") > 0 for _ in range(3)] == [False, False, True]
