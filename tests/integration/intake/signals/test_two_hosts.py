"""Two workers whose hosts disagree about the time do not turn the order of signals."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from services.intake.records.signal import Signal
from shared.database.clock_mode import ClockMode
from tests.support.servers.hosts import (
    Worker,
    apply_policy,
    worker_on_its_own_time,
    worker_on_server_time,
)
from tests.support.servers.servers import Database, PostgresServer

pytestmark = pytest.mark.servers

AHEAD, BEHIND = timedelta(seconds=1.5), timedelta(seconds=-1.5)
"""Three seconds apart, and neither host so wrong that it must not write."""
DISK = Signal(
    source="demo", dedup_key="web-1/disk", action="trigger", title="disk full"
)


Workers = tuple[Worker, Worker]


MODES: dict[ClockMode, Callable[[ExitStack, Database, timedelta], Worker]] = {
    "server": worker_on_server_time,
    "lever": worker_on_its_own_time,
}


@pytest.fixture(params=MODES)
def workers(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[Workers]:
    mode: ClockMode = request.param
    database = postgres_server.fresh_database(mode)
    apply_policy(database)
    with ExitStack() as stack:
        ahead, behind = (
            MODES[mode](stack, database, difference) for difference in (AHEAD, BEHIND)
        )
        yield ahead, behind
    postgres_server.drop(database)


def story(source_ahead: timedelta | None) -> list[Signal]:
    """Return trigger, recovery, trigger, recovery; with instants of its source."""
    signals = []
    began = datetime.now(UTC)
    for n, action in enumerate(("trigger", "resolve", "trigger", "resolve")):
        at = None
        if source_ahead is not None:
            at = began + source_ahead + timedelta(milliseconds=n)
        signals.append(DISK.model_copy(update={"action": action, "occurred_at": at}))
    return signals


@pytest.mark.parametrize(
    "source_ahead",
    [
        timedelta(0),
        timedelta(seconds=-60),
        timedelta(seconds=1),
        timedelta(seconds=60),
        None,
    ],
    ids=["right", "behind", "a_little_ahead", "ahead", "no_instants"],
)
@pytest.mark.parametrize("first", ["ahead", "behind"])
def test_trigger_recovery_trigger_over_two_hosts_suppress_nothing(
    workers: Workers, source_ahead: timedelta | None, first: str
) -> None:
    order = workers if first == "ahead" else workers[::-1]

    heard = [
        worker.receive(signal)
        for worker, signal in zip(cycle(order), story(source_ahead), strict=False)
    ]

    assert [status for status, _ in heard] == [
        "opened",
        "recovered",
        "signalled",
        "recovered",
    ]


def test_what_its_source_calls_older_is_still_late(workers: Workers) -> None:
    ahead, behind = workers
    began = datetime.now(UTC) - timedelta(seconds=60)
    fires = DISK.model_copy(update={"occurred_at": began + timedelta(seconds=2)})
    recovered = DISK.model_copy(
        update={"action": "resolve", "occurred_at": began + timedelta(seconds=1)}
    )

    assert ahead.receive(fires)[0] == "opened"
    assert behind.receive(recovered) == ("suppressed", "older_than_trigger")
