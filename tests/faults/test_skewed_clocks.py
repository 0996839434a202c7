"""Hosts believe whatever they like about the time; the desk goes by PostgreSQL's.

Seeded: a failure prints its seed, `FAULTS_SEED=… make faults` plays it again.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event

import httpx
import psycopg
import pytest

from services.intake.records.signal import Signal
from shared.eventlog.errors import WrongClock
from tests.support.builders.short_events import broken_at
from tests.support.desks.running import (
    SERVICES,
    TWIN,
    Desk,
    Setting,
    running_desk,
    serving,
)
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until
from tests.support.servers.faketime import MISSING, HostClock, library
from tests.support.servers.hosts import Worker, apply_policy, worker_on_server_time
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

LONG = os.environ.get("FAULTS") == "long"
STEPS = 1_500 if LONG else 150
SEED = int(os.environ.get("FAULTS_SEED", "20250630"))
NEARLY_RIGHT = (0.0, 1.5, -1.5)
VERY_WRONG = (5 * 3_600.0, -5 * 3_600.0, 60 * 86_400.0, -60 * 86_400.0)
WRONG = (3.0, -3.0, *VERY_WRONG)
ALERTS = 5
INSTANTS = (
    "SELECT min(recorded_at), max(recorded_at), clock_timestamp() FROM log.events"
)


@pytest.fixture
def workers(server_time_database: Database) -> Iterator[list[Worker]]:
    apply_policy(server_time_database)
    with ExitStack() as stack:
        yield [
            worker_on_server_time(stack, server_time_database, timedelta(0))
            for _ in range(3)
        ]


def test_whatever_hosts_believe_no_signal_is_lost_or_turned(
    workers: list[Worker], server_time_database: Database
) -> None:
    random = Random(SEED)  # noqa: S311 # a game, to be played again
    print(f"\nFAULTS_SEED={SEED}")  # noqa: T201 # to be repeated
    sent: Counter[int] = Counter()
    heard: Counter[str] = Counter()
    for _ in range(STEPS):
        set_a_clock(workers, random)
        alert = random.randrange(ALERTS)
        signal = told_by_source(alert, sent[alert])
        sent[alert] += 1
        heard[taken(workers, signal, random)] += 1

    assert sum(heard.values()) == STEPS
    assert not heard["suppressed"], heard
    assert heard["recovered"] == sum(n // 2 for n in sent.values()), heard
    assert_instants_are_the_servers(server_time_database)
    for worker in workers:
        worker.host.off = timedelta(0)
        until(lambda worker=worker: writes(worker), "it writes again")  # type: ignore[misc] # bound at once


def set_a_clock(workers: list[Worker], random: Random) -> None:
    """Set the clock of one host, right or wrong; the first one is never far off."""
    number = random.randrange(len(workers))
    choices = NEARLY_RIGHT if number == 0 else NEARLY_RIGHT + WRONG
    workers[number].host.off = timedelta(seconds=random.choice(choices))


def told_by_source(alert: int, n: int) -> Signal:
    return Signal(
        source="demo",
        dedup_key=f"web-{alert}/disk",
        action="resolve" if n % 2 else "trigger",
        title="disk full",
        occurred_at=datetime.now(UTC),
    )


def taken(workers: list[Worker], signal: Signal, random: Random) -> str:
    """Send a signal to one host after the other until one takes it."""
    for _ in range(SECONDS * 50):
        worker = random.choice(workers)
        try:
            return worker.receive(signal)[0]
        except WrongClock:
            # One that was set right may still be about to notice; a right one never
            # refuses, unless it was wrong a moment ago.
            Event().wait(0.02)
    raise AssertionError("no host took it")


def writes(worker: Worker) -> bool:
    try:
        with worker.log.transaction() as cursor:
            cursor.execute("SELECT 1")
    except WrongClock:
        return False
    return True


def test_a_wrong_host_writes_nothing_and_says_by_how_much(
    workers: list[Worker],
) -> None:
    worker = workers[1]
    position = worker.log.head().position
    for off in VERY_WRONG:
        worker.host.off = timedelta(seconds=off)
        until(lambda off=off: said_skew(worker, off), f"it says {off} s")  # type: ignore[misc] # bound at once

    assert worker.log.head().position == position


def said_skew(worker: Worker, off: float) -> bool:
    """Tell whether a worker refuses a signal, and says by how much its clock is off."""
    try:
        worker.receive(told_by_source(1, 0))
    except WrongClock as error:
        found = re.search(r"is ([\d.]+) s (ahead of|behind) PostgreSQL's", str(error))
    else:
        raise AssertionError(f"it wrote, {off} s off")
    assert found
    said = float(found[1]) if found[2] == "ahead of" else -float(found[1])
    return abs(said - off) < 60  # a starved host knows no better


def assert_instants_are_the_servers(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute(INSTANTS).fetchone()
    assert row is not None
    first, last, present = row
    assert present - timedelta(hours=2) < first <= last <= present
    assert broken_at(database.owner_dsn) is None


@pytest.fixture(scope="module")
def host_and_desk() -> Iterator[tuple[HostClock, Desk]]:
    """Give a desk of whole processes, on a host whose clock can be set."""
    found = library()
    if found is None:
        pytest.skip(MISSING)
    with reachable_folder() as folder:
        host = HostClock(found, folder / "faketime")
        with running_desk(
            folder, setting=Setting(environment=host.environment)
        ) as desk:
            yield host, desk


@pytest.mark.parametrize("off", [5 * 3_600, -600])
def test_four_services_on_a_wrong_host_are_red_and_write_nothing(
    host_and_desk: tuple[HostClock, Desk], off: int
) -> None:
    host, desk = host_and_desk
    until(lambda: send(desk, f"before-{off}").status_code == 202, "it takes signals")

    host.set(off)
    for name in SERVICES:
        until(lambda name=name: red(desk, name, off), f"{name} is red")  # type: ignore[misc] # bound at once
    before = position(desk)
    refused = send(desk, f"meanwhile-{off}")

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "the clock of this host is" in refused.text
    assert position(desk) == before

    host.set(0)
    desk.wait_ready()
    until(lambda: send(desk, f"after-{off}").status_code == 202, "it takes signals")
    assert not any("breached" in type_ for type_ in types(desk)), "a promise broke"
    for name in SERVICES:
        assert "Traceback" not in desk.output(name), desk.output(name)[-4000:]


def test_a_wrong_host_leaves_each_lead_to_one_that_is_right() -> None:
    """It may not write: with the lease in its hand nobody would relay, read or send."""
    leases = (
        *(("intake", "relay"), ("intake", "mailboxes")),
        *(("escalation", "outbox"), ("escalation", "on_call")),
    )
    found = library()
    if found is None:
        pytest.skip(MISSING)
    with reachable_folder() as folder:
        host = HostClock(found, folder / "faketime")
        setting = Setting(environment=host.environment)
        with running_desk(
            folder, start=("intake", "escalation"), setting=setting
        ) as desk:
            for schema, lease in leases:
                assert desk.leader(schema, lease) == schema
            wrong = dict(desk.services)
            with serving(desk, (f"intake{TWIN}", f"escalation{TWIN}")):
                right = dict(desk.services)
                desk.services = right | {n: wrong[n] for n in ("intake", "escalation")}
                host.set(5 * 3_600)
                for schema, lease in leases:
                    until(
                        lambda schema=schema, lease=lease: (  # type: ignore[misc] # bound at once
                            desk.leader(schema, lease) == f"{schema}{TWIN}"
                        ),
                        f"the twin leads {lease}",
                    )
            desk.services = wrong


def send(desk: Desk, key: str) -> httpx.Response:
    signal = {
        "event_id": key,
        "dedup_key": key,
        "action": "trigger",
        "title": "disk full",
        "severity": "error",
        "service": "web",
    }
    return httpx.post(
        f"{desk.intake_url}/v1/events",
        json=signal,
        headers=desk.bearer("source"),
        timeout=SECONDS,
    )


def red(desk: Desk, name: str, off: int) -> bool:
    """Tell whether a service says that its host's clock is off, and to which side."""
    url = f"http://127.0.0.1:{desk.ports[name]}/health/ready"
    said = httpx.get(url, timeout=SECONDS)
    side = "ahead of" if off > 0 else "behind"
    return said.status_code == 503 and f"{side} PostgreSQL's" in said.text


def position(desk: Desk) -> int:
    log = desk.log()
    try:
        return log.head().position
    finally:
        log.close()


def types(desk: Desk) -> list[str]:
    log = desk.log()
    try:
        return [row.type for row in log.rows_since(0, 5_000)]
    finally:
        log.close()
