"""A service beats while it is well, keeps silent otherwise, and never falls over it."""

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from shared.observability.dead_mans_switch import Unheard, hindrance, keep_beating
from shared.observability.health import Check
from shared.settings import IntakeSettings

WELL = Check("reader", "queue", ready=True, numbers={"lag_seconds": 1.0})
AWAY = Check("reader", "queue", ready=False, words={"why": "PostgreSQL is away"})
BEHIND = Check("reader", "queue", ready=True, numbers={"lag_seconds": 20.0})
OVERDUE = Check("timers", "sla_watcher", True, numbers={"overdue_seconds": 20.0})


def test_who_is_ready_and_near_may_beat() -> None:
    assert hindrance([WELL, Check("relay", "events", ready=True)]) is None


@pytest.mark.parametrize(
    ("checks", "why"),
    [
        ([WELL, AWAY], "reader queue is not ready: PostgreSQL is away"),
        ([WELL, BEHIND], "reader queue is 20 s behind"),
        ([WELL, OVERDUE], "timers sla_watcher is 20 s behind"),
        ([], "nothing says that it is well"),
    ],
)
def test_who_is_not_says_why(checks: Sequence[Check], why: str) -> None:
    assert hindrance(checks) == why


class Ward:
    """A process whose checks change from beat to beat, until there are no more."""

    def __init__(self, *course: Sequence[Check] | Exception) -> None:
        self._course = deque(course)
        self._stop = asyncio.Event()
        self.told = 0
        self.trouble: Exception | None = None

    async def checks(self) -> Sequence[Check]:
        now = self._course.popleft()
        if not self._course:
            self._stop.set()
        if isinstance(now, Exception):
            raise now
        return now

    async def tell(self) -> None:
        self.told += 1
        if self.trouble:
            raise self.trouble

    def live(self) -> list[str]:
        """Beat until the course is over; return what was logged meanwhile."""
        with capture_logs() as lines:
            asyncio.run(keep_beating(self.checks, self.tell, 0.0, self._stop))
        return [
            f"{line['event']} {line.get('why') or line.get('error') or ''}".strip()
            for line in lines
        ]


def test_it_beats_only_while_it_is_well_and_says_once_why_not() -> None:
    ward = Ward([WELL], [AWAY], [BEHIND], [WELL], [WELL])

    assert ward.live() == [
        "heartbeat.withheld reader queue is not ready: PostgreSQL is away",
        "heartbeat.resumed",
    ]
    assert ward.told == 3


def test_checks_that_fail_are_no_reason_to_beat_and_none_to_fall_over() -> None:
    ward = Ward([WELL], RuntimeError("a mistake"), [WELL])

    assert ward.live() == [
        "heartbeat.withheld its checks fail: RuntimeError",
        "heartbeat.resumed",
    ]
    assert ward.told == 2


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (OSError("no route to /key-1"), "Unheard: OSError"),
        (Unheard("it answered 404"), "Unheard: it answered 404"),
    ],
)
def test_a_watcher_that_does_not_hear_is_told_of_once_without_its_address(
    trouble: Exception, told: str
) -> None:
    ward = Ward([WELL], [WELL], [WELL])
    ward.trouble = trouble

    assert ward.live() == [f"heartbeat.away {told}"]
    assert ward.told == 3


def test_a_watcher_that_never_answers_holds_up_one_beat_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.observability.dead_mans_switch.BEAT_SECONDS", 0.01)
    asked: list[bool] = []

    async def never() -> None:
        asked.append(True)
        await asyncio.Event().wait()

    ward = Ward([WELL], [WELL])
    ward.tell = never  # type: ignore[method-assign] # it hangs

    assert ward.live() == ["heartbeat.away Unheard: TimeoutError"]
    assert len(asked) == 2


ADDRESSES = {
    "database_url": "postgresql://desk@localhost/x",
    "nats_url": "nats://localhost",
}


@pytest.mark.parametrize("wrong", ["hc-ping.com/key-1", "ftp://x/key-1", "https://"])
def test_what_is_no_web_address_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        IntakeSettings(heartbeat_url=wrong, **ADDRESSES)  # type: ignore[arg-type] # as the environment gives it

    (error,) = refused.value.errors(include_input=False)
    assert "not a web address" in error["msg"]
    assert "key-1" not in str(error)


def test_no_address_and_an_empty_one_are_alike() -> None:
    empty = IntakeSettings(heartbeat_url="", **ADDRESSES)  # type: ignore[arg-type] # as above

    assert empty == IntakeSettings(**ADDRESSES)  # type: ignore[arg-type] # as above
