"""Two workers whose hosts disagree about the time do not turn the order of signals."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from services.intake import policy_store
from services.intake.delivery import Delivery
from services.intake.policies import Policies
from services.intake.policy_store import Applied, Signature
from services.intake.receiving import Receiver
from services.intake.record_cache import RecordCache
from services.intake.signals import Signal
from shared.clock import Clock
from shared.clock_mode import ClockMode
from shared.event_log import EventLog
from shared.server_clock import ServerClock, TimeSource
from tests.integration.intake.conftest import MASTER, POLICY
from tests.support.servers import Database, PostgresServer

pytestmark = pytest.mark.servers

AHEAD, BEHIND = timedelta(seconds=1.5), timedelta(seconds=-1.5)
"""Three seconds apart, and neither host so wrong that it must not write."""
DISK = Signal(
    source="demo", dedup_key="web-1/disk", action="trigger", title="disk full"
)


@dataclass
class Worker:
    """A worker of intake on a host of its own."""

    log: EventLog
    clock: Clock
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        cache, policies = RecordCache(self.log), Policies(self.log)
        self.receiver = Receiver(self.log, cache, policies, self.clock)

    def receive(self, signal: Signal) -> tuple[str, str | None]:
        delivery = Delivery(
            "demo", "native", repr(signal).encode(), 0, (signal,), self.clock(), True
        )
        (results,) = self.receiver.flush([delivery])
        assert isinstance(results, list)
        return results[0].status, results[0].rule


Workers = tuple[Worker, Worker]


def wall_off_by(difference: timedelta) -> Clock:
    return lambda: datetime.now(UTC) + difference


def on_the_servers_clock(
    stack: ExitStack, database: Database, difference: timedelta
) -> Worker:
    dsn = database.dsn("desk_intake")
    source = TimeSource(dsn)
    stack.callback(source.close)
    clock = ServerClock(source.ask, wall=wall_off_by(difference))
    clock.look()
    log = EventLog.open(dsn, master=MASTER, clock=clock, guard=clock.demand_right)
    stack.callback(log.close)
    return Worker(log, clock)


def on_its_own_clock(
    stack: ExitStack, database: Database, difference: timedelta
) -> Worker:
    clock = wall_off_by(difference)
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, clock=clock)
    stack.callback(log.close)
    return Worker(log, clock)


MODES: dict[ClockMode, Callable[[ExitStack, Database, timedelta], Worker]] = {
    "server": on_the_servers_clock,
    "lever": on_its_own_clock,
}


@pytest.fixture(params=MODES)
def workers(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[Workers]:
    mode: ClockMode = request.param
    database = postgres_server.fresh_database(mode)
    owner = EventLog.open(database.owner_dsn)
    signature = Signature(by="root", reason="a desk for a test")
    text = POLICY.read_text(encoding="utf-8")
    applied = policy_store.apply(owner, text, signature, datetime.now(UTC), "test")
    assert isinstance(applied, Applied), applied
    owner.close()
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
