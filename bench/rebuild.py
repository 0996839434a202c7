"""How fast a read model is rebuilt, compared with reading and decoding the log.

`python -m bench.rebuild [--events N] [--rounds N] [--json]`. The bound is one process
that reads the same log, decodes and decrypts every event, and does nothing with it; a
rebuild folds, copies, creates all indexes, compares and flips, with all cores.
"""

import json
import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.figure import WIDTH, title_of
from services.projections.read_models import MODELS
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import PAGE_MAX, EventLog
from tests.support.builders.busy_log import busy_log
from tests.support.builders.written_histories import MASTER, rebuilt
from tests.support.folders import reachable_folder
from tests.support.servers.servers import Database, running_postgres

ACTIVE = 400
BATCH = 1_000


@dataclass(frozen=True)
class Measured:
    """Events per second of one way; `ratio` to the bound of the same run."""

    way: str
    events_per_second: float
    ratio: float


def fill(log: EventLog, events: int) -> None:
    """Write a busy log of `events` events."""
    entries = busy_log(events, active=ACTIVE)
    for _ in track(range(0, events, BATCH), "writing the log"):
        part = list(islice(entries, BATCH))
        fresh = tuple(log.stored(e.stream, e.version, e.event) for e in part)
        with log.transaction() as cursor:
            log.append(cursor, [AppendUnit(fresh)])


def read_rows(log: EventLog) -> None:
    """Read the log, as stored."""
    position = 0
    while rows := log.rows_since(position, PAGE_MAX):
        position = rows[-1].position


def read_and_decode(log: EventLog) -> None:
    """Read the log and decode every event."""
    position = 0
    while entries := log.since(position, PAGE_MAX):
        position = entries[-1].position


def measured(
    database: Database, log: EventLog, events: int, rounds: int
) -> list[Measured]:
    """Return each way's median; the rebuilds compare with the one before."""

    def rate(work: Callable[[], object]) -> float:
        took = []
        for _ in range(rounds):
            began = perf_counter()
            work()
            took.append(perf_counter() - began)
        return events / statistics.median(took)

    def rebuild(name: str) -> None:
        assert rebuilt(database, MODELS[name]).flipped

    bound = rate(lambda: read_and_decode(log))
    ways = {
        "read the log": rate(lambda: read_rows(log)),
        "read and decode it (the bound)": bound,
        **{f"rebuild {name}": rate(partial(rebuild, name)) for name in MODELS},
    }
    return [Measured(way, round(speed), speed / bound) for way, speed in ways.items()]


def main(
    events: Annotated[int, typer.Option(help="Length of the log.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Each way so often; median.")] = 3,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    with reachable_folder(on_disk=True) as folder, running_postgres(folder) as postgres:
        postgres.wait()
        database = postgres.fresh_database()
        with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
            fill(log, events)
            found = measured(database, log, events, rounds)
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    how = f"{events:,} events, {rounds} rounds"
    table = Table(
        "way",
        "events/s",
        "× reading and decoding",
        title=title_of("rebuild", how),
        title_justify="left",
        width=WIDTH,
    )
    for one in found:
        table.add_row(one.way, f"{one.events_per_second:,.0f}", f"{one.ratio:.2f}")
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    typer.run(main)
