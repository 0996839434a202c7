"""Signals per second over HTTP, each answered once its incident's event is committed.

Intake, PostgreSQL (fsync on) and nats-server run. Beside each figure are two bounds of
the same run: our HTTP server with nothing behind it, and the same batches without HTTP.
The number answered 2xx is compared with the log: any loss voids the run.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from bench.books import demand_nothing_lost, still
from bench.cpu import used_by
from bench.desk import unlimited
from bench.figure import Figure, median_of
from bench.flush import flushed_per_second
from bench.sending import Load, Sent, finish, send, sender_name, start
from standalone.ports import free_port
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

ARRAY = 100
ARRAYS_AT_ONCE = 8
WARM_UP_SECONDS = 1.0
HTTP_ALONE = "HTTP alone: our server, one answer to everything"


@dataclass(frozen=True)
class Case:
    """A kind of load; without `keys` each signal opens an incident."""

    what: str
    load: Load
    workers: tuple[str, ...] = ("intake",)


CASES = (
    Case("new, one a request", Load("new")),
    Case("new, one a request, two workers", Load("both"), ("intake", "intake_twin")),
    Case("duplicates, one a request", Load("dup", keys=100)),
    Case("new, arrays of 100", Load("news", ARRAY, connections=ARRAYS_AT_ONCE)),
    Case(
        "duplicates, arrays of 100",
        Load("dups", ARRAY, keys=1_000, connections=ARRAYS_AT_ONCE),
    ),
)


@dataclass(frozen=True)
class Round:
    """One round of a case: signals accepted per second, and how long each waited."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu: str


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure each case, `rounds` times `seconds`."""
    http = [_http_alone(seconds) for _ in range(rounds)]
    yield median_of(HTTP_ALONE, http, "/s", note=f"sent by {sender_name()}")
    for case in CASES:
        with (
            reachable_folder(on_disk=True) as folder,
            running_desk(
                folder, durable=True, start=case.workers, setting=unlimited(folder)
            ) as desk,
        ):
            alone = flushed_per_second(desk.postgres, case.load, seconds)
            done = [_round(desk, case, n, seconds) for n in range(rounds)]
        yield from _told(case, done, alone, max(http))


def _told(case: Case, done: list[Round], alone: float, http: float) -> Iterator[Figure]:
    rates = [each.per_second for each in done]
    last = done[-1]
    yield median_of(
        case.what,
        rates,
        "/s",
        bound=alone,
        beside="the same batches without HTTP, one thread",
        note=f"{last.cpu}; answered in {last.p50_ms:.0f} ms, p99 {last.p99_ms:.0f} ms",
    )
    if case.load.size == 1:
        yield median_of(case.what, rates, "/s", bound=http, beside=HTTP_ALONE)


def _round(desk: Desk, case: Case, number: int, seconds: float) -> Round:
    warm_up = replace(case.load, prefix=f"{case.load.prefix}-{number}-warm")
    load = replace(case.load, prefix=f"{case.load.prefix}-{number}")
    _sent(desk, case, warm_up, WARM_UP_SECONDS)
    log = desk.log()
    try:
        before = still(log)
        with used_by(desk) as used:
            sent = _sent(desk, case, load, seconds)
        kept = still(log).since(before)
    finally:
        log.close()
    accepted = sum(each.accepted for each in sent) * load.size
    demand_nothing_lost(kept, accepted, load.connections * load.size)
    assert not any(each.refused or each.broken for each in sent), sent
    return Round(
        sum(each.accepted * load.size / each.seconds for each in sent),
        max(each.p50_ms for each in sent),
        max(each.p99_ms for each in sent),
        used.each(accepted),
    )


def _sent(desk: Desk, case: Case, load: Load, seconds: float) -> list[Sent]:
    """Send to all workers at once, with a share of the connections each."""
    share = load.connections // len(case.workers)
    token = desk.tokens["source"]
    under_way = [
        start(
            f"http://127.0.0.1:{desk.ports[worker]}",
            token,
            replace(load, prefix=f"{load.prefix}-{worker}", connections=share),
            seconds,
        )
        for worker in case.workers
    ]
    return [finish(process) for process in under_way]


def _http_alone(seconds: float) -> float:
    with constant_server() as url:
        return send(url, "none", Load("none"), seconds).answered / seconds


@contextmanager
def constant_server() -> Iterator[str]:
    """Run `bench.constant`; yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "bench.constant", str(port)])

    def answers() -> bool:
        try:
            return httpx.post(f"{url}/v1/events").status_code == 202
        except httpx.HTTPError:
            return False

    try:
        until(answers, "the constant server answers")
        yield url
    finally:
        process.terminate()
        process.wait()
