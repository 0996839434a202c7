"""From a signal to the agents' queue: visible a second, and how late, on a whole desk.

All four services run. `visible` counts incidents the queue shows, from the first signal
until the last one sent is there: the drain is in it.
"""

from collections.abc import Iterator
from time import monotonic

import psutil

from bench.books import demand_nothing_lost, still
from bench.figure import Figure, median_of, percentile
from bench.lateness import lateness
from bench.sending import Load, send
from services.projections.generations import live
from services.projections.read_models import MODELS
from shared.event_log import EventLog
from tests.support.desk import Desk, running_desk, until
from tests.support.servers import reachable_folder

EVEN = Load("late", per_second=1_000)


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure on one desk, `rounds` times `seconds`."""
    with (
        reachable_folder() as folder,
        running_desk(folder, durable=True) as desk,
    ):
        log = desk.log()
        send(desk.intake_url, desk.tokens["source"], Load("warm"), 1.0)
        done = [_round(desk, log, n, seconds) for n in range(rounds)]
        late, sent = lateness(desk, log, EVEN, seconds)
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
    note = f"at {sent.accepted / sent.seconds:,.0f} events a second"
    for percent in (50, 99):
        what = f"event to visible, p{percent}"
        yield median_of(what, [percentile(late, percent)], "ms", note=note)
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


def _position(log: EventLog) -> int:
    with log.transaction() as cursor:
        schema = live(cursor, MODELS["queue"]).schema
        row = cursor.execute(f"SELECT position FROM {schema}.tracking").fetchone()
    return int(row[0]) if row else 0
