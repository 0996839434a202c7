"""Many open pages: what streams of events cost, and when the last one hears of one.

`python -m bench.listeners [--listeners N] [--json]`. Intake and projections run. As
many people as listeners have a session each, and a stream as a page opens it. Signals
arrive at a steady rate; the delay of an event is from its `recorded_at` to the last
listener. Beside: the same with one listener. Then all listeners have limited rights,
which cover what happens; and a tenth of them do not read what they are sent.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Annotated

import psutil
import typer
from rich.console import Console

from bench.cpu import used_by
from bench.figure import Figure, percentile, show
from bench.sending import Load, send
from bench.signed_in import sessions
from shared.domain.limits import EVERYTHING, Limits
from shared.eventlog.log import PAGE_MAX, EventLog
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

LISTENERS = 1_000
PER_SECOND = 5
"""Signals a second: a busy desk with many agents. Each opens an incident."""
SECONDS = 10.0
IDLE_SECONDS = 8.0
DEAF_SHARE = 10
"""One in so many does not read, in the last case."""
SERVICES = ("intake", "projections")
DRAIN_SECONDS = 60
KILOBYTE = 1_000
_WITHIN = Limits(services=frozenset({"web", "unknown"}))
"""Covers what `bench.sending` reports."""


@dataclass(frozen=True)
class Case:
    """How many listen, with which rights, and how many of them do not read."""

    what: str
    listeners: int
    limits: Limits = EVERYTHING
    deaf: int = 0


@dataclass(frozen=True)
class Outcome:
    """Of one case: delays in ms, seconds of processor, bytes of memory."""

    late: Sequence[float]
    events: int
    idle_share: float
    """The share of a core that projections took while nothing happened."""
    each_us: float
    """Processor time of projections for an event, in µs."""
    before: int
    after: int


def cases(listeners: int) -> Sequence[Case]:
    """Return the cases: the bound, then those that are measured."""
    return (
        Case("1 listener", 1),
        Case(f"{listeners:,} listeners", listeners),
        Case(f"{listeners:,} listeners with limited rights", listeners, _WITHIN),
        Case(
            f"{listeners:,} listeners, of whom a tenth do not read",
            listeners,
            deaf=listeners // DEAF_SHARE,
        ),
    )


def main(
    listeners: Annotated[int, typer.Option(help="How many listen.")] = LISTENERS,
    per_second: Annotated[int, typer.Option(help="Signals per second.")] = PER_SECOND,
    seconds: Annotated[float, typer.Option(help="How long each case sends.")] = SECONDS,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    found: list[Figure] = []
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True, start=SERVICES) as desk,
        closing(desk.log()) as log,
    ):
        send(desk.intake_url, desk.tokens["source"], Load("warm"), 1.0)
        _wait_until_shown(log)
        alone, *others = cases(listeners)
        bound = _outcome(desk, log, alone, per_second, seconds)
        for case in others:
            try:
                outcome = _outcome(desk, log, case, per_second, seconds)
            except AssertionError as void:  # the other cases count all the same
                Console(stderr=True).print(f"{case.what}: {void}")
                continue
            found += _told(case, outcome, bound)
    how = f"{per_second} signals a second for {seconds:g} s, each case"
    show("listeners", how, found, as_json=as_json)


def _told(case: Case, of: Outcome, bound: Outcome) -> Iterator[Figure]:
    note = f"{case.what}: {of.events} events"
    for percent in (50, 99):
        yield Figure(
            f"event to the last listener, p{percent}",
            percentile(of.late, percent),
            "ms",
            min(of.late),
            max(of.late),
            percentile(bound.late, percent),
            "to a single listener",
            note,
        )
    yield Figure(
        "processor for an event",
        of.each_us,
        "µs",
        bound=bound.each_us,
        beside="with a single listener",
        note=f"{of.each_us / case.listeners:.0f} µs for each listener",
    )
    yield Figure(
        "processor while nothing happens",
        100 * of.idle_share,
        "%",
        bound=100 * bound.idle_share,
        beside="with a single listener",
        note="of one core; rights are read every few seconds",
    )
    yield Figure(
        "memory of projections",
        of.after / KILOBYTE**2,
        "MB",
        bound=of.before / KILOBYTE**2,
        beside="before they came",
        note=f"{(of.after - of.before) / KILOBYTE / case.listeners:.0f} KB for each",
    )


def _outcome(
    desk: Desk, log: EventLog, case: Case, per_second: int, seconds: float
) -> Outcome:
    projections = psutil.Process(desk.services["projections"].pid)
    people = [f"agent-{number}" for number in range(case.listeners)]
    secrets = sessions(log, people, case.limits)
    before = projections.memory_info().rss
    first = log.head().position
    with _listening(desk.api_url, secrets, case.deaf) as process:
        with used_by(desk) as idle:
            Event().wait(IDLE_SECONDS)
        load = Load(f"heard-{case.what}", per_second=per_second, connections=8)
        with used_by(desk) as used:
            send(desk.intake_url, desk.tokens["source"], load, seconds)
            _wait_until_shown(log)
            head = log.head().position
            heard = _heard(process, head)
        after = projections.memory_info().rss
    late = _late(log, first, heard, case.listeners - case.deaf)
    return Outcome(
        late,
        len(late),
        idle.seconds["projections"] / IDLE_SECONDS,
        1e6 * used.seconds["projections"] / len(late),
        before,
        after,
    )


def _wait_until_shown(log: EventLog) -> None:
    """Return once the read models have everything."""

    def shown() -> bool:
        with log.transaction() as cursor:
            row = cursor.execute("SELECT position FROM rm_queue_v1.tracking").fetchone()
        return row is not None and row[0] >= log.head().position

    until(shown, "the queue has it", DRAIN_SECONDS)


@contextmanager
def _listening(
    url: str, secrets: Sequence[str], deaf: int
) -> Iterator["subprocess.Popen[str]"]:
    """Run `bench.listening`; all its listeners are connected when this is entered."""
    command = [sys.executable, "-m", "bench.listening", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"secrets": list(secrets), "deaf": deaf}) + "\n")
        process.stdin.flush()
        ready = process.stdout.readline().split()
        try:
            assert ready == ["READY", str(len(secrets) - deaf)], ready
            yield process
        finally:
            process.terminate()


def _heard(process: "subprocess.Popen[str]", head: int) -> dict[int, tuple[int, float]]:
    """Return how many heard of each event, and when the last of them did."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{head}\n")
    process.stdin.flush()
    result = json.loads(process.stdout.readline().removeprefix("RESULT "))
    assert not result["ended"], f"{result['ended']} streams ended: this run is void"
    return {
        int(position): (count, result["last"][position])
        for position, count in result["count"].items()
    }


def _late(
    log: EventLog, first: int, heard: dict[int, tuple[int, float]], listeners: int
) -> list[float]:
    """Return how late the last listener heard of each event, in ms."""
    late: list[float] = []
    while rows := log.rows_since(first, PAGE_MAX):
        for row in rows:
            count, last = heard.get(row.position, (0, 0.0))
            assert count == listeners, f"{count} heard of {row.position}: void"
            late.append(1_000 * (last - row.recorded_at.timestamp()))
        first = rows[-1].position
    return late


if __name__ == "__main__":
    typer.run(main)
