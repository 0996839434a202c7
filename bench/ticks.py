"""What a tick of the watcher costs, by how many timers are armed: it should not grow.

`python -m bench.ticks [--armed N ...] [--json]`. A tick decides and records what one
case says that is due, and looks when the next one is, as the service does; in this
process, on the real tables. All but the smallest number are copied into the table.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated

import typer

from bench.arming import copy, far
from bench.desk import PROMISING
from bench.figure import Figure, show
from bench.figure import median_of as figure_of
from shared.casework.cases import armed as count_armed
from tests.support.servers import reachable_folder, running_postgres
from tests.support.sla_desk import SlaDesk

TICKS = 300
CHECKS = 20


def main(
    armed: Annotated[
        list[int], typer.Option(help="How many are armed, ascending; repeat it.")
    ] = [1_000, 100_000],  # noqa: B006 # typer wants a list
    large: Annotated[bool, typer.Option("--large", help="1,000,000 too.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    numbers = [*armed, 1_000_000] if large else armed
    text = PROMISING.policy.read_text(encoding="utf-8")
    with reachable_folder() as folder, running_postgres(folder) as postgres:
        database = postgres.fresh_database()
        desk = SlaDesk(database, datetime.now(UTC), text)
        with closing(desk):
            found = list(figures(desk, numbers))
    show("ticks", f"{TICKS} ticks each, one case due at each", found, as_json=as_json)


def figures(desk: SlaDesk, numbers: Sequence[int]) -> Iterator[Figure]:
    """Measure at each number of armed cases; the bound is the smallest of them."""
    desk.happens(*far(1, numbers[0], desk.now))
    desk.read()
    bound, checked = 0.0, 0.0
    for number in numbers:
        copy(desk.database.owner_dsn, numbers[0], number)
        took = [_tick(desk) for _ in range(TICKS)]
        beside = f"with {numbers[0]:,} armed"
        figure = figure_of(
            f"a tick, {number:,} armed", took, "ms", bound=bound or None, beside=beside
        )
        yield figure
        check = figure_of(
            f"a health check's count, {number:,} armed",
            [_count(desk) for _ in range(CHECKS)],
            "ms",
            bound=checked or None,
            beside=beside,
        )
        yield check
        bound, checked = bound or figure.value, checked or check.value


def _tick(desk: SlaDesk) -> float:
    """Let one case fire; return how many milliseconds the watcher was at it."""
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
