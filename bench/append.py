"""How fast the log accepts events, compared with plain INSERTs under the same lock.

`python -m bench.append [--json] [--rounds N]`. Each figure is a ratio to its bound in
the same run: the same row, by `INSERT … unnest` into a bare table, under the same lock,
on the same PostgreSQL. Writers are processes, as services are. `with command ids` also
looks up and stores one command per event, which the bound does not.
"""

import itertools
import json
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, partial
from multiprocessing import get_context
from time import monotonic, perf_counter
from typing import Annotated
from uuid import UUID, uuid4

import psycopg
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.figure import WIDTH, fdatasync_us, title_of
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import APPEND_LOCK, PendingEvent
from tests.support.folders import reachable_folder
from tests.support.servers.servers import running_postgres

SIZES = (1, 100, 500)
WRITERS = (1, 2, 4, 8)
EVENTS = {1: 160, 100: 3_200, 500: 8_000}
"""Number of events that all writers together write in a round, by transaction size."""
LEAD_SECONDS = 0.2
STATE = (
    b'{"type":"incident.noted","at":"2026-03-01T12:00:00Z","by":"person:nadia",'
    b'"incident":"INC-000001","policy":1,"note":"' + b"x" * 184 + b'"}'
)

# The bare table: same columns and indexes, no trigger, no policy, no hash.
PLAIN = """
CREATE SCHEMA plain;
CREATE TABLE plain.events (LIKE log.events INCLUDING DEFAULTS);
ALTER TABLE plain.events ADD PRIMARY KEY (originator_id, originator_version);
CREATE UNIQUE INDEX ON plain.events (notification_id);
GRANT USAGE ON SCHEMA plain TO desk_intake;
GRANT SELECT, INSERT ON plain.events TO desk_intake;
"""
PLAIN_INSERT = """
INSERT INTO plain.events
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::bytea[],
                     %b::timestamptz[], %b::uuid[], %b::bytea[])
"""

PLAIN_HEAD = """
SELECT notification_id FROM plain.events ORDER BY notification_id DESC LIMIT 1
"""

Write = Callable[[], None]
Way = Callable[[str, int], Write]


@dataclass(frozen=True)
class Measured:
    """The result of one way of writing: events per second, ms per transaction."""

    way: str
    size: int
    writers: int
    events_per_second: float
    ms_p50: float
    ms_p99: float


def plain(dsn: str, size: int) -> Write:
    """Return a function that inserts `size` plain rows, without our guarantees."""
    connection = psycopg.connect(dsn, autocommit=True)
    numbers = itertools.count(1)
    prefix = uuid4()

    def write() -> None:
        n = next(numbers)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(APPEND_LOCK)
            row = cursor.execute(PLAIN_HEAD).fetchone()
            first = (row[0] if row else 0) + 1
            columns = (
                list(range(first, first + size)),
                [f"incident-{prefix}-{n}-{k}" for k in range(size)],
                [1] * size,
                ["incident.noted"] * size,
                [STATE] * size,
                [datetime.now(UTC)] * size,
                [prefix] * size,
                [bytes(32)] * size,
            )
            cursor.execute(PLAIN_INSERT, columns)

    return write


def ours(dsn: str, size: int, *, commands: bool) -> Write:
    """Return a function that appends to `size` streams, with command ids if wanted."""
    log = EventLog.open(dsn, pool_size=1)
    numbers = itertools.count(1)
    prefix = uuid4()

    def member(stream: str, id_: UUID | None) -> AppendUnit:
        event = PendingEvent(stream, 1, "incident.noted", STATE, id_)
        return AppendUnit((event,), id_, bytes(32))

    def write() -> None:
        n = next(numbers)
        group = [
            member(f"incident-{prefix}-{n}-{k}", uuid4() if commands else None)
            for k in range(size)
        ]
        with log.transaction() as cursor:
            outcomes = log.append(cursor, group)
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)

    return write


WAYS: dict[str, Way] = {
    "plain INSERT": plain,
    "append": partial(ours, commands=False),
    "with command ids": partial(ours, commands=True),
}


@cache
def writer(way: str, dsn: str, size: int) -> Write:
    """Return this process's writer of a way, warmed up; it stays connected."""
    write = WAYS[way](dsn, size)
    write()
    return write


def worker(
    way: str, dsn: str, size: int, start: float, count: int
) -> tuple[float, list[float]]:
    """Write `count` times from the instant `start`; return the end, and each time."""
    write = writer(way, dsn, size)
    took = []
    while monotonic() < start:
        pass
    for _ in range(count):
        began = perf_counter()
        write()
        took.append(perf_counter() - began)
    return monotonic(), took


def measure(
    pool: ProcessPoolExecutor, dsn: str, size: int, writers: int, rounds: int
) -> list[Measured]:
    """Run `writers` of each way side by side, the ways in turn, round by round.

    In turn, so that other load on this machine slows all of them equally.
    """
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    elapsed = dict.fromkeys(WAYS, 0.0)
    count = max(1, EVENTS[size] // size // writers)
    for n, way in itertools.product(range(rounds + 1), WAYS):
        start = monotonic() + LEAD_SECONDS
        job = (way, dsn, size, start, count)
        runs = [pool.submit(worker, *job) for _ in range(writers)]
        ends, times = zip(*(run.result() for run in runs), strict=True)
        if n > 0:  # the first round connects
            elapsed[way] += max(ends) - start
            took[way] += itertools.chain.from_iterable(times)
    return [
        Measured(
            way,
            size,
            writers,
            round(len(times) * size / elapsed[way], 1),
            round(1000 * statistics.median(times), 2),
            round(1000 * sorted(times)[int(len(times) * 0.99)], 2),
        )
        for way, times in took.items()
    ]


def run(rounds: int) -> tuple[float, list[Measured]]:
    """Measure every way, size and number of writers on a separate PostgreSQL."""
    with reachable_folder(on_disk=True) as folder, running_postgres(folder) as server:
        database = server.fresh_database()
        with psycopg.connect(database.owner_dsn) as connection:
            connection.execute(PLAIN.encode())
        dsn = database.dsn("desk_intake")
        cases = list(itertools.product(SIZES, WRITERS))
        with ProcessPoolExecutor(max(WRITERS), get_context("spawn")) as pool:
            list(pool.map(abs, range(100)))  # so that every process is up
            done = [
                each
                for size, writers in track(
                    cases, "Writing", console=Console(stderr=True)
                )
                for each in measure(pool, dsn, size, writers, rounds)
            ]
        return fdatasync_us(folder), done


def shown(fsync_us: float, measured: list[Measured]) -> Table:
    """Return the figures as a table, each beside its bound."""
    bounds = {
        (m.size, m.writers): m.events_per_second
        for m in measured
        if m.way == "plain INSERT"
    }
    title = title_of("append", f"fdatasync {fsync_us} µs")
    table = Table(title=title, title_justify="left", width=WIDTH)
    for name in (
        "a transaction",
        "writers",
        "way",
        "events/s",
        "p50 ms",
        "p99 ms",
        "×",
    ):
        table.add_column(name, justify="left" if name == "way" else "right")
    for m in measured:
        ratio = m.events_per_second / bounds[m.size, m.writers]
        table.add_row(
            str(m.size),
            str(m.writers),
            m.way,
            f"{m.events_per_second:,.0f}",
            f"{m.ms_p50}",
            f"{m.ms_p99}",
            f"{ratio:.2f}",
        )
    return table


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="For each figure.")] = 5,
) -> None:
    """Measure appending, each figure beside its bound."""
    fsync_us, measured = run(rounds)
    if as_json:
        plain_figures = [asdict(m) for m in measured]
        print(json.dumps({"fdatasync_us": fsync_us, "append": plain_figures}, indent=1))
    else:
        Console(width=WIDTH).print(shown(fsync_us, measured))


if __name__ == "__main__":
    typer.run(main)
