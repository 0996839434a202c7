"""How late timers fire while many are armed: the real watcher, on the real clock.

`python -m bench.timers [--armed N] [--large] [--json]`. All four services run. First
the watcher reads incidents that are due in weeks, recorded as fast as possible; then
others whose warnings and breaches are due at random instants of a window. The delay is
from the instant at which an event can be known to its `recorded_at`.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Annotated

import psutil
import typer

from bench.arming import copy, far, opened, record
from bench.desk import PROMISING
from bench.drained import positions, wait_until_drained
from bench.figure import Figure, percentile, show
from shared.domain.events.sla import SlaBreached, SlaWarned
from shared.eventlog.entry import Entry
from shared.eventlog.log import PAGE_MAX, EventLog
from tests.support.desks.running import MASTER, Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

ARMED, ARMED_LARGE = 100_000, 1_000_000
DRAIN_SECONDS = 1_800
LEAD_SECONDS = 10
"""From the recording of incidents to the first instant at which one is due."""
WINDOW_MAX = 30
"""Nothing may be reported later than it is recorded."""
FIRST_SECONDS, LAST_SECONDS = 40, 101
"""When targets of `near` in `bench/permanence.yaml` fire, after the report."""
FIRES = 4
"""Number of events: a warning and a breach, of two targets."""
CYCLE_MS = 5_000
LATE_MS_MAX = 250
SECOND = timedelta(seconds=1)


def main(
    armed: Annotated[int, typer.Option(help="Cases that wait meanwhile.")] = ARMED,
    large: Annotated[
        bool, typer.Option("--large", help="1,000,000, most copied into the table.")
    ] = False,
    near: Annotated[int, typer.Option(help="Incidents that fire 4 times each.")] = 500,
    window: Annotated[
        int, typer.Option(help="Seconds they are spread over.", max=WINDOW_MAX)
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    waiting = ARMED_LARGE if large else armed
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, setting=PROMISING) as desk,
        closing(desk.log()) as owner,
        closing(_intake(desk)) as log,
    ):
        arming = _arm(desk, owner, log, armed)
        copy(desk.database.owner_dsn, waiting)
        late = _fire(owner, log, armed, near, window)
    how = f"{waiting:,} armed, {near * FIRES:,} fired around {window} s"
    show("timers", how, list(_figures(arming, late)), as_json=as_json)


@dataclass(frozen=True)
class Arming:
    """Incidents per second: recorded, armed, followed by all; memory in MB."""

    recorded: float
    armed: float
    followed: float
    idle: float
    after: float


def _figures(arming: Arming, late: dict[str, list[float]]) -> Iterator[Figure]:
    beside = "incidents recorded in the same run"
    bound = arming.recorded
    yield Figure("armed by the watcher", arming.armed, "/s", None, None, bound, beside)
    yield Figure("followed by all", arming.followed, "/s", None, None, bound, beside)
    yield Figure(
        "memory of the watcher",
        arming.after,
        "MB",
        bound=arming.idle,
        beside="the same, idle",
    )
    for what, values in late.items():
        for percent in (50, 99, 100):
            yield Figure(
                f"{what} late, {f'p{percent}' if percent < 100 else 'most'}",
                percentile(values, percent),
                "ms",
                min(values),
                max(values),
                CYCLE_MS,
                "GoAlert looks every 5 s",
                note=f"of {len(values):,}; aimed at {LATE_MS_MAX} ms as p99",
            )


def _intake(desk: Desk) -> EventLog:
    return EventLog.open(desk.database.dsn("desk_intake"), master=MASTER)


def _watcher(desk: Desk) -> float:
    pid = desk.services["sla_watcher"].pid
    return float(psutil.Process(pid).memory_info().rss) / 1_000_000


def _arm(desk: Desk, owner: EventLog, log: EventLog, armed: int) -> Arming:
    wait_until_drained(owner, DRAIN_SECONDS)
    idle, began = _watcher(desk), monotonic()
    record(log, far(1, armed, datetime.now(UTC)))
    recorded, head = monotonic(), log.head().position
    until(
        lambda: positions(owner)["sla_watcher"] >= head,
        "the watcher has read them",
        DRAIN_SECONDS,
    )
    read = monotonic()
    wait_until_drained(owner, DRAIN_SECONDS)
    return Arming(
        armed / (recorded - began),
        armed / (read - began),
        armed / (monotonic() - began),
        idle,
        _watcher(desk),
    )


def _fire(
    owner: EventLog, log: EventLog, armed: int, near: int, window: int
) -> dict[str, list[float]]:
    """Return how many ms late each warning and each breach was."""
    random, before = Random(1), log.head().position
    now = datetime.now(UTC)
    first = now + (LEAD_SECONDS - FIRST_SECONDS) * SECOND
    numbers = range(armed + 1, armed + 1 + near)
    reported = {n: first + random.random() * window * SECOND for n in numbers}
    record(log, (opened(n, "near", now, at) for n, at in reported.items()))
    last = max(reported.values()) + LAST_SECONDS * SECOND
    until(
        lambda: datetime.now(UTC) > last,
        "the last has fallen due",
        LEAD_SECONDS + window + LAST_SECONDS + 10,
    )
    wait_until_drained(owner, DRAIN_SECONDS)
    late: dict[str, list[float]] = {"warnings": [], "breaches": []}
    for entry in _since(owner, before):
        match entry.event:
            case SlaWarned(warned_at=since):
                late["warnings"].append(_ms(entry, since))
            case SlaBreached(breached_at=since):
                # At its last instant a promise is still kept.
                late["breaches"].append(_ms(entry, since + SECOND))
            case _:
                pass
    fired = Counter({what: len(values) for what, values in late.items()})
    wanted = Counter(dict.fromkeys(late, near * FIRES // 2))
    assert fired == wanted, f"{fired}, wanted {wanted}: this run is void"
    return late


def _since(log: EventLog, position: int) -> Iterator[Entry]:
    while entries := log.since(position, PAGE_MAX):
        yield from entries
        position = entries[-1].position


def _ms(entry: Entry, since: datetime) -> float:
    return 1_000 * (entry.recorded_at - since).total_seconds()


if __name__ == "__main__":
    typer.run(main)
