"""From a signal to the agents' queue: visible per second, and the delay, on a desk.

All four services run, and every incident is promised. `visible` counts incidents that
the queue shows, from the first signal until the last one is there, including the drain.
`armed` counts them until the watcher and all other readers have processed everything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from time import monotonic

from bench.books import demand_nothing_lost, still
from bench.cpu import used_by
from bench.desk import PROMISING
from bench.drained import queue_position, said, wait_until_drained
from bench.figure import Figure, median_of, percentile
from bench.lateness import lateness
from bench.over_nats import published
from bench.sending import Load, send
from shared.eventlog.log import EventLog
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

DRAIN_SECONDS = 300
LATE_MS_MAX = 250
"""The target for p99."""
PACES = (Load("late-calm", per_second=200), Load("late-full", per_second=1_000))
"""The rate of a busy day, and one that two cores cannot follow."""


def _over_http(desk: Desk, load: Load, seconds: float) -> int:
    """Send for `seconds`; return how many signals were answered 2xx."""
    sent = send(desk.intake_url, desk.tokens["source"], load, seconds)
    return sent.accepted * load.size


KINDS: Mapping[str, tuple[Load, Callable[[Desk, Load, float], int]]] = {
    "": (Load("visible"), _over_http),
    "arrays of 100: ": (Load("visible-s", 100, connections=8), _over_http),
    "over NATS: ": (Load("visible-nats"), published),
    "over NATS, arrays of 100: ": (Load("visible-natss", 100), published),
}
"""How new signals are sent. A duplicate changes nothing that the queue shows."""
OVER_HTTP = ("", "arrays of 100: ")


@dataclass(frozen=True)
class Round:
    """Incidents a second: accepted, shown in the queue, promised; seconds of drain."""

    accepted: float
    visible: float
    armed: float
    drain: float
    cpu: str


def figures(
    rounds: int, seconds: float, kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[Figure]:
    """Measure `kinds` on one desk, `rounds` times `seconds` each."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, setting=PROMISING) as desk,
        closing(desk.log()) as log,
    ):
        send(desk.intake_url, desk.tokens["source"], Load("warm"), 1.0)
        done = {
            kind: [_round(desk, log, kind, n, seconds) for n in range(rounds)]
            for kind in kinds
        }
        paced = [_late(desk, log, pace, seconds) for pace in PACES]
        armed, opened = said(log, "sla.armed"), said(log, "incident.opened")
    assert armed == 2 * opened, (
        f"{opened} incidents, {armed} promises: this run is void"
    )
    for kind, each in done.items():
        yield from _told(kind, each)
    yield from chain.from_iterable(paced)


def _told(kind: str, done: list[Round]) -> Iterator[Figure]:
    accepted = [each.accepted for each in done]
    yield median_of(f"{kind}accepted, all services running", accepted, "/s")
    bound = max(accepted)
    beside = "accepted in the same run"
    yield median_of(
        f"{kind}visible in the queue, drain included",
        [each.visible for each in done],
        "/s",
        bound=bound,
        beside=beside,
    )
    yield median_of(
        f"{kind}promised and followed by all, drain included",
        [each.armed for each in done],
        "/s",
        bound=bound,
        beside=beside,
        note=done[-1].cpu,
    )
    yield median_of(
        f"{kind}drain after the last signal", [each.drain for each in done], "s"
    )


def _late(desk: Desk, log: EventLog, pace: Load, seconds: float) -> list[Figure]:
    """Send at a steady rate; return the delays of events, with all drained."""
    late, sent = lateness(desk, log, pace, seconds)
    wait_until_drained(log, DRAIN_SECONDS)
    signals, events = sent.accepted / sent.seconds, len(late) / sent.seconds
    return [
        median_of(
            f"event to visible, p{percent}",
            [percentile(late, percent)],
            "ms",
            bound=LATE_MS_MAX,
            beside="aimed at as p99",
            note=f"at {signals:,.0f} signals, {events:,.0f} events a second",
        )
        for percent in (50, 99)
    ]


def _round(desk: Desk, log: EventLog, kind: str, number: int, seconds: float) -> Round:
    before = still(log)
    load, sending = KINDS[kind]
    with used_by(desk) as used:
        began = monotonic()
        accepted = sending(
            desk, replace(load, prefix=f"{load.prefix}-{number}"), seconds
        )
        ended, head = monotonic(), log.head().position
        until(lambda: queue_position(log) >= head, "the queue has it", DRAIN_SECONDS)
        visible = monotonic()
        wait_until_drained(log, DRAIN_SECONDS)
        armed = monotonic()
    kept = still(log).since(before)
    demand_nothing_lost(kept, accepted, load.connections * load.size)
    return Round(
        accepted / (ended - began),
        kept.incidents / (visible - began),
        kept.incidents / (armed - began),
        visible - ended,
        used.each(kept.incidents),
    )
