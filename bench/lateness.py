"""How late the queue shows an event: from its commit to that of the read model.

The position of the read model is polled every few milliseconds, so a measurement is too
long by one poll at most. `recorded_at` is just before the commit. All times are from
one clock.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from threading import Event, Thread

import psycopg

from bench.sending import Load, Sent, send
from services.projections.generations import live
from services.projections.read_models import MODELS
from shared.eventlog.log import EventLog
from tests.support.desks.running import Desk
from tests.support.patience import until

LOOK_SECONDS = 0.002
_LOOK = (
    "SELECT extract(epoch FROM clock_timestamp())::float8, position FROM {}.tracking"
)

Look = tuple[float, int]
"""An instant, and the position of the read model then."""


def lateness(
    desk: Desk, log: EventLog, load: Load, seconds: float
) -> tuple[list[float], Sent]:
    """Send; return the delay of each event, in milliseconds, and what was sent."""
    first = log.head().position
    with _looking(desk, log) as looks:
        sent = send(desk.intake_url, desk.tokens["source"], load, seconds)
        last = log.head().position
        until(lambda: looks[-1][1] >= last, "the queue shows it all", 60)
    return _late(log, looks, first, last), sent


@contextmanager
def _looking(desk: Desk, log: EventLog) -> Iterator[Sequence[Look]]:
    """Poll the position of the live queue while the body runs."""
    with log.transaction() as cursor:
        query = _LOOK.format(live(cursor, MODELS["queue"]).schema)
    over = Event()
    with psycopg.connect(desk.database.owner_dsn, autocommit=True) as connection:

        def look() -> Look:
            at, position = connection.execute(query).fetchone() or (0.0, 0)
            return at, position

        looks = [look()]

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                looks.append(look())

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield looks
        finally:
            over.set()
            watcher.join()


def _late(log: EventLog, looks: Sequence[Look], first: int, last: int) -> list[float]:
    seen_at: dict[int, float] = {}
    for (_, before), (at, position) in pairwise(looks):
        seen_at.update(dict.fromkeys(range(before + 1, position + 1), at))
    late: list[float] = []
    while first < last:
        for row in log.rows_since(first, last - first):
            late.append(1_000 * (seen_at[row.position] - row.recorded_at.timestamp()))
            first = row.position
    return late
