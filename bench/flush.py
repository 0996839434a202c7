"""The bound of intake's transaction: the same signals in batches, without HTTP.

One thread calls what intake's batcher calls, with the batch size that waiting requests
would lead to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import perf_counter

import orjson

from bench.connections import bodies
from bench.sending import SIGNAL, Load
from services.intake.assembly import SIGNALS_A_BATCH
from services.intake.partitions import turn_partitions
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.records.store import RecordCache
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Delivery
from services.intake.signals.store import Receiver
from shared.clock import real_clock
from shared.eventlog.log import EventLog
from tests.support.desks.running import MASTER, POLICY
from tests.support.servers.servers import PostgresServer

SOURCE = "demo"


def flushed_per_second(postgres: PostgresServer, load: Load, seconds: float) -> float:
    """Return how many signals of `load` are committed per second, on a new desk."""
    at_once = min(load.connections * load.size, SIGNALS_A_BATCH) // load.size
    next_body = bodies(load, SIGNAL)
    with _receiver(postgres) as receiver:
        receiver.flush([_delivery(next_body())])
        done, began = 0, perf_counter()
        while perf_counter() - began < seconds:
            receiver.flush([_delivery(next_body()) for _ in range(at_once)])
            done += at_once
        took = perf_counter() - began
    return done * load.size / took


@contextmanager
def _receiver(postgres: PostgresServer) -> Iterator[Receiver]:
    database = postgres.fresh_database()
    now = datetime.now(UTC)
    owner = EventLog.open(database.owner_dsn, master=MASTER, pool_size=1)
    text = POLICY.read_text(encoding="utf-8")
    signature = Signature(by="root", reason="to measure")
    applied = policy_store.apply(owner, text, signature, now, "test")
    assert isinstance(applied, Applied), applied
    owner.close()
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=2)
    try:
        turn_partitions(log.transaction, now.date())
        yield Receiver(log, RecordCache(log), Policies(log), real_clock)
    finally:
        log.close()
        postgres.drop(database)


def _delivery(body: bytes) -> Delivery:
    now = datetime.now(UTC)
    heard = ADAPTERS["native"](orjson.loads(body), InboundDocument(SOURCE, now))
    return Delivery(SOURCE, "native", body, 0, tuple(heard), now, told=True)
