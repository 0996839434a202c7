"""The cost of a large policy: decisions under 5,000 services compared with 5.

`python -m bench.policy [--services N ...] [--rounds N] [--json]`. Incidents are opened
by intake's own code on a real database, and promises computed in this process; the
policies take turns. The cost should be the same under each. Reading and checking a file
is in proportion to its size, and measured separately.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from time import perf_counter
from typing import Annotated

import orjson
import typer

from bench.figure import Figure, median_of, show
from services.intake.partitions import turn_partitions
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.records.store import RecordCache
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.schemas import Delivery
from services.intake.signals.store import Receiver
from shared.clock import real_clock
from shared.domain.policy.document import Policy
from shared.domain.policy.validation import read
from shared.domain.sla import promised
from shared.eventlog.log import EventLog
from tests.support.builders.large_policies import large_text
from tests.support.desks.running import MASTER
from tests.support.folders import reachable_folder
from tests.support.servers.servers import PostgresServer, running_postgres

OPENINGS = 200
"""Incidents opened in a round, each in a transaction of its own."""
PROMISES = 2_000
SIGNED = Signature(by="root", reason="to measure")


def main(
    services: Annotated[
        list[int], typer.Option(help="Of each policy, and so many closed days.")
    ] = [5, 5_000],  # noqa: B006 # typer wants a list
    rounds: Annotated[int, typer.Option(help="Each so often; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_postgres(folder) as postgres,
        ExitStack() as stack,
    ):
        desks = {
            number: stack.enter_context(closing(_desk(postgres, number)))
            for number in services
        }
        found = list(figures(desks, rounds))
    show("policy", f"{rounds} rounds", found, as_json=as_json)


@dataclass
class _Desk:
    """Intake's code on a log with a policy, and the last service of that policy."""

    log: EventLog
    policy: Policy
    service: str
    checked_in: float
    receiver: Receiver = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        cache, policies = RecordCache(self.log), Policies(self.log)
        self.receiver = Receiver(self.log, cache, policies, real_clock)

    def close(self) -> None:
        """Give the connections back."""
        self.log.close()

    def opened_a_second(self) -> float:
        """Return how many incidents are opened per second."""
        began = perf_counter()
        for _ in range(OPENINGS):
            self.receiver.flush([self._delivery()])
        return OPENINGS / (perf_counter() - began)

    def promised_a_second(self) -> float:
        """Return how often promises are computed per second."""
        at, began = datetime.now(UTC), perf_counter()
        for _ in range(PROMISES):
            assert promised(self.policy, self.service, None, "p1", at)
        return PROMISES / (perf_counter() - began)

    def _delivery(self) -> Delivery:
        now, number = datetime.now(UTC), next(self._numbers)
        signal = {
            "action": "trigger",
            "dedup_key": f"disk-{number}",
            "title": "Disk full",
            "severity": "critical",
            "service": self.service,
        }
        heard = ADAPTERS["native"](signal, InboundDocument("demo", now))
        body = orjson.dumps(signal)
        return Delivery("demo", "native", body, 0, tuple(heard), now, told=True)


def figures(desks: Mapping[int, _Desk], rounds: int) -> Iterator[Figure]:
    """Measure all, in turn; the bound is the policy with the fewest services."""
    opened: dict[int, list[float]] = {number: [] for number in desks}
    worked_out: dict[int, list[float]] = {number: [] for number in desks}
    for desk in desks.values():  # the first of each also reads the policy
        desk.opened_a_second()
        desk.promised_a_second()
    for _ in range(rounds):
        for number, desk in desks.items():
            opened[number].append(desk.opened_a_second())
            worked_out[number].append(desk.promised_a_second())
    least = min(desks)
    for what, taken in (("opened", opened), ("promises", worked_out)):
        bound = median_of("", taken[least], "/s").value
        for number, values in taken.items():
            what_under = f"{what}, {number:,} services"
            beside = f"under {least:,} services"
            yield median_of(what_under, values, "/s", bound=bound, beside=beside)
    for number, desk in desks.items():
        yield Figure(f"read and checked, {number:,} services", desk.checked_in, "s")


def _desk(postgres: PostgresServer, services: int) -> _Desk:
    database, now = postgres.fresh_database(), datetime.now(UTC)
    text = large_text(services, services)
    began = perf_counter()
    assert isinstance(read(text), Policy)
    checked_in = perf_counter() - began
    owner = EventLog.open(database.owner_dsn, pool_size=1)
    applied = policy_store.apply(owner, text, SIGNED, now, "test")
    assert isinstance(applied, Applied), applied
    owner.close()
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=2)
    turn_partitions(log.transaction, now.date())
    return _Desk(log, applied.policy, f"service-{services - 1:05d}", checked_in)


if __name__ == "__main__":
    typer.run(main)
