"""Workers of intake on hosts whose clocks a test sets, against one PostgreSQL."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.records.signal import Signal
from services.intake.records.store import RecordCache
from services.intake.signals.schemas import Delivery
from services.intake.signals.store import Receiver
from shared.clock import Clock
from shared.database.server_clock import ServerClock, TimeSource
from shared.eventlog.log import EventLog
from tests.support import key_ring
from tests.support.servers.servers import Database

MASTER = key_ring.MASTER
POLICY = Path(__file__).parents[3] / "deploy" / "permanence.yaml"


@dataclass
class Host:
    """A host: its clock is ahead by `off`, or behind."""

    off: timedelta = timedelta(0)

    def wall(self) -> datetime:
        """Return what its clock shows."""
        return datetime.now(UTC) + self.off


@dataclass
class Worker:
    """A worker of intake, on a host of its own."""

    host: Host
    log: EventLog
    clock: Clock
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        cache, policies = RecordCache(self.log), Policies(self.log)
        self.receiver = Receiver(self.log, cache, policies, self.clock)

    def receive(self, signal: Signal) -> tuple[str, str | None]:
        """Return the outcome of a signal, and by which rule."""
        body, now = repr(signal).encode(), self.clock()
        delivery = Delivery("demo", "native", body, 0, (signal,), now, told=True)
        (results,) = self.receiver.flush([delivery])
        assert isinstance(results, list)
        return results[0].status, results[0].rule


def worker_on_server_time(
    stack: ExitStack, database: Database, off: timedelta
) -> Worker:
    """Return a worker as a service has it: on PostgreSQL's time, and guarded."""
    dsn, host = database.dsn("desk_intake"), Host(off)
    source = TimeSource(dsn)
    stack.callback(source.close)
    clock = ServerClock(source.ask, wall=host.wall)
    clock.look()
    log = EventLog.open(dsn, master=MASTER, clock=clock, guard=clock.demand_right)
    stack.callback(log.close)
    return Worker(host, log, clock)


def worker_on_its_own_time(
    stack: ExitStack, database: Database, off: timedelta
) -> Worker:
    """Return a worker that believes its host, as it may in a log with a lever."""
    host = Host(off)
    dsn = database.dsn("desk_intake")
    log = EventLog.open(dsn, master=MASTER, clock=host.wall)
    stack.callback(log.close)
    return Worker(host, log, host.wall)


def apply_policy(database: Database) -> None:
    """Let the log begin with the starter policy."""
    owner = EventLog.open(database.owner_dsn)
    signature = Signature(by="root", reason="a desk for a test")
    text = POLICY.read_text(encoding="utf-8")
    applied = policy_store.apply(owner, text, signature, datetime.now(UTC), "test")
    assert isinstance(applied, Applied), applied
    owner.close()
