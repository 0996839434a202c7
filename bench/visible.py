"""From a signal to the agents' queue: visible a second, and how late, on a whole desk.

All four services run. `visible` counts incidents the queue shows, from the first signal
until the last one sent is there: the drain is in it. `late` is, event by event, from
its commit to the commit of the read model, as the two tables say.
"""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread
from time import monotonic

import psutil

from bench.books import demand_nothing_lost, still
from bench.figure import Figure, median_of, percentile
from bench.sending import Load, send
from services.projections.generations import live
from services.projections.models import MODELS
from shared.event_log import EventLog
from tests.support.desk import Desk, running_desk, until
from tests.support.servers import reachable_folder

GENTLE_CONNECTIONS = 8
LOOK_SECONDS = 0.002
"""How often the position of the read model is read."""
WATCHED_SECONDS = 5.0


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure on one desk, `rounds` times `seconds`."""
    with (
        reachable_folder() as folder,
        running_desk(folder, durable=True) as desk,
    ):
        log = desk.log()
        send(desk.intake_url, desk.tokens["source"], Load("warm"), 1.0)
        done = [_round(desk, log, n, seconds) for n in range(rounds)]
        late = _late(desk, log)
        log.close()
        held = {
            name: psutil.Process(server.pid).memory_info().rss / 1_000_000
            for name, server in desk.services.items()
        }
    accepted = [one for one, _, _ in done]
    visible = [one for _, one, _ in done]
    drain = [one for _, _, one in done]
    yield median_of("accepted, all services running", accepted, "/s")
    yield median_of(
        "visible in the queue, drain included",
        visible,
        "/s",
        bound=max(accepted),
        beside="accepted in the same run",
    )
    yield median_of("drain after the last signal", drain, "s")
    yield median_of("event to visible, p50", [percentile(late, 50)], "ms")
    yield median_of("event to visible, p99", [percentile(late, 99)], "ms")
    for name, megabytes in held.items():
        yield median_of(f"memory of {name} after all this", [megabytes], "MB")


def _round(
    desk: Desk, log: EventLog, number: int, seconds: float
) -> tuple[float, float, float]:
    """Return accepted a second, visible a second, and seconds of drain."""
    before = still(log)
    began = monotonic()
    sent = send(
        desk.intake_url, desk.tokens["source"], Load(f"visible-{number}"), seconds
    )
    ended = monotonic()
    head = log.head().position
    until(lambda: _position(log) >= head, "the queue shows it all", 120)
    visible = monotonic()
    kept = still(log).since(before)
    demand_nothing_lost(kept, sent.accepted, Load("").connections)
    return (
        sent.accepted / sent.seconds,
        kept.incidents / (visible - began),
        visible - ended,
    )


def _late(desk: Desk, log: EventLog) -> list[float]:
    """Return milliseconds from commit to visible, under a load well below the limit."""
    seen: list[tuple[float, int]] = []
    over = Event()
    gentle = replace(Load("late"), connections=GENTLE_CONNECTIONS)

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            seen.append((_now(log), _position(log)))

    watcher = Thread(target=watch)
    first = log.head().position
    watcher.start()
    send(desk.intake_url, desk.tokens["source"], gentle, WATCHED_SECONDS)
    last = log.head().position
    until(lambda: _position(log) >= last, "the queue shows it all", 60)
    over.set()
    watcher.join()
    seen.append((_now(log), _position(log)))
    return _lateness(log, seen, first, last)


def _lateness(
    log: EventLog, seen: list[tuple[float, int]], first: int, last: int
) -> list[float]:
    late: list[float] = []
    looks = iter(seen)
    at, position = next(looks)
    while first < last:
        for row in log.rows_since(first, min(1_000, last - first)):
            while position < row.position:
                at, position = next(looks)
            late.append(max(0.0, 1_000 * (at - row.recorded_at.timestamp())))
            first = row.position
    return late


def _position(log: EventLog) -> int:
    with log.transaction() as cursor:
        schema = live(cursor, MODELS["queue"]).schema
        row = cursor.execute(f"SELECT position FROM {schema}.tracking").fetchone()
    return int(row[0]) if row else 0


def _now(log: EventLog) -> float:
    with log.transaction() as cursor:
        row = cursor.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    return float(row[0]) if row else 0.0
