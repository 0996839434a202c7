"""Memory of each service: idle, at most under load, and after 20,000 incidents.

`python -m bench.memory [--incidents N] [--json]`. Resident memory, all four services
running, every incident promised. For PostgreSQL and nats-server, pages that several
processes share count once.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count
from threading import Event, Thread
from typing import Annotated

import psutil
import typer

from bench.books import books
from bench.desk import PROMISING
from bench.drained import wait_until_drained
from bench.figure import Figure, show
from bench.sending import Load, send
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder

LOOK_SECONDS = 0.25
IDLE_SECONDS = 3.0
ROUND_SECONDS = 5.0
DRAIN_SECONDS = 900
MEGABYTE = 1_000_000

Megabytes = Mapping[str, float]


def main(
    incidents: Annotated[int, typer.Option(help="How many are opened.")] = 20_000,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, setting=PROMISING) as desk,
    ):
        found = list(figures(desk, incidents))
    show(
        "memory",
        f"after {incidents:,} incidents; range: idle – most",
        found,
        as_json=as_json,
    )


def figures(desk: Desk, incidents: int) -> Iterator[Figure]:
    """Measure idle, during and after."""
    with closing(desk.log()) as log:
        wait_until_drained(log, DRAIN_SECONDS)
        Event().wait(IDLE_SECONDS)
        idle = _held(desk)
        with _most(desk) as most:
            for number in count():
                load = Load(f"memory-{number}")
                send(desk.intake_url, desk.tokens["source"], load, ROUND_SECONDS)
                if books(log).incidents >= incidents:
                    break
            wait_until_drained(log, DRAIN_SECONDS)
        Event().wait(IDLE_SECONDS)
        after = _held(desk)
    for name in idle:
        yield Figure(
            name,
            after[name],
            "MB",
            idle[name],
            most[name],
            bound=idle[name],
            beside="the same, idle",
        )


def _held(desk: Desk) -> Megabytes:
    """Return the megabytes of each program now."""
    ours = {name: _resident(server.pid) for name, server in desk.services.items()}
    servers = {"PostgreSQL": desk.postgres.pid, "nats-server": desk.nats.pid}
    return {
        **ours,
        "all four services": sum(ours.values()),
        **{name: _own(pid) for name, pid in servers.items()},
    }


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MEGABYTE


def _own(pid: int) -> float:
    process, total = psutil.Process(pid), 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss / MEGABYTE
        except psutil.NoSuchProcess:
            continue
    return total


@contextmanager
def _most(desk: Desk) -> Iterator[dict[str, float]]:
    """Poll while the body runs; the yielded dictionary then has the maxima."""
    most: dict[str, float] = {}
    with watched(desk, LOOK_SECONDS) as looks:
        yield most
    most |= {name: max(look[name] for look in looks) for name in looks[0]}


@contextmanager
def watched(desk: Desk, every: float) -> Iterator[list[Megabytes]]:
    """Poll at regular intervals, first at once; yields the list of results."""
    looks = [_held(desk)]
    over = Event()

    def watch() -> None:
        while not over.wait(every):
            looks.append(_held(desk))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield looks
    finally:
        over.set()
        watcher.join()


if __name__ == "__main__":
    typer.run(main)
