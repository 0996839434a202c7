"""The cost of a tick of the watcher, by the number of armed timers: constant, ideally.

`python -m bench.ticks [--armed N ...] [--json]`. A tick decides and records one due
event of a case, and computes the next due instant, as the service does; in this
process, on the real tables. All but 1,000 cases are copied into the table. The sizes
take turns, so that other load on the machine affects all equally.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from bench.arming import copy, far
from bench.desk import PROMISING
from bench.figure import Figure, median_of, show
from shared.process_manager.case_store import armed as count_armed
from tests.support.desks.watching import SlaDesk
from tests.support.folders import reachable_folder
from tests.support.servers.servers import PostgresServer, running_postgres

REAL = 1_000
"""Cases the watcher has armed itself: enough for all ticks."""
TICKS = 300
CHECKS = 20


def main(
    armed: Annotated[
        list[int], typer.Option(help="How many are armed, 1,000 or more; repeat it.")
    ] = [1_000, 100_000],  # noqa: B006 # typer wants a list
    large: Annotated[bool, typer.Option("--large", help="1,000,000 too.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    numbers = [*armed, 1_000_000] if large else armed
    with (
        reachable_folder(on_disk=True) as folder,
        running_postgres(folder) as postgres,
        ExitStack() as stack,
    ):
        desks = {
            number: stack.enter_context(closing(_desk(postgres, number)))
            for number in numbers
        }
        found = list(figures(desks))
    show("ticks", f"{TICKS} ticks each, one case due at each", found, as_json=as_json)


def figures(desks: Mapping[int, SlaDesk]) -> Iterator[Figure]:
    """Measure all, in turn; the bound is the smallest number of armed cases."""
    ticks: dict[int, list[float]] = {number: [] for number in desks}
    counts: dict[int, list[float]] = {number: [] for number in desks}
    for turn in range(TICKS):
        for number, desk in desks.items():
            ticks[number].append(_tick(desk))
            if turn < CHECKS:
                counts[number].append(_count(desk))
    fewest = min(desks)
    for what, took in (("a tick", ticks), ("a health check's count", counts)):
        for number, rounds in took.items():
            yield median_of(
                f"{what}, {number:,} armed",
                rounds,
                "ms",
                bound=median(took[fewest]),
                beside=f"with {fewest:,} armed",
            )


def _desk(postgres: PostgresServer, armed: int) -> SlaDesk:
    """Return a desk with so many armed cases; those that will fire are real."""
    text = PROMISING.policy.read_text(encoding="utf-8")
    desk = SlaDesk(postgres.fresh_database(), datetime.now(UTC), text)
    desk.happens(*far(1, REAL, desk.now))
    desk.read()
    copy(desk.database.owner_dsn, armed)
    return desk


def _tick(desk: SlaDesk) -> float:
    """Let one case fire; return how many milliseconds the tick took."""
    at = desk.worker.next_at()
    assert at is not None
    desk.now = max(desk.now, at)
    began = perf_counter()
    woken = desk.worker.wake()
    desk.worker.next_at()
    took = perf_counter() - began
    assert (woken.due, woken.behind) == (1, 0), woken
    return 1_000 * took


def _count(desk: SlaDesk) -> float:
    began = perf_counter()
    with desk.log.transaction() as cursor:
        count_armed(cursor, desk.worker.schema)
    return 1_000 * (perf_counter() - began)


if __name__ == "__main__":
    typer.run(main)
