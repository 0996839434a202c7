"""The two services that follow the log, as processes, frozen and stopped."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from standalone.nats import Bus
from tests.support.desks.follower import Desk, reading
from tests.support.patience import SECONDS, eventually, until
from tests.support.ports import reserved_port
from tests.support.servers.servers import Database

pytestmark = [pytest.mark.servers, pytest.mark.desks]

NOWHERE = {
    "DATABASE_URL": "postgresql://desk_sla_watcher:x@127.0.0.1:1/permanence",
    "NATS_URL": "nats://127.0.0.1:1",
}


class Process:
    """A service as a process of its own."""

    def __init__(self, service: str, given: Mapping[str, str], log: Path) -> None:
        self.port = reserved_port()
        self._log = log
        command = [sys.executable, "-m", f"services.{service}"]
        given = {"PERMANENCE_HTTP_PORT": str(self.port), **given}
        with log.open("wb") as opened:
            self.popen = subprocess.Popen(
                command, env={**_environment(), **given}, stderr=opened
            )

    def lines(self) -> list[dict[str, Any]]:
        """Return what it logged; every line is JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def ready(self) -> dict[str, Any] | None:
        """Return what it says of its readiness; None while it does not answer."""
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.port}/health/ready", timeout=SECONDS
            )
        except httpx.TransportError:
            return None
        body: dict[str, Any] = answer.json()
        assert (answer.status_code == 200) == (body["status"] == "ready")
        return body

    def is_ready(self) -> bool:
        """Tell whether it is ready."""
        body = self.ready()
        return body is not None and body["status"] == "ready"

    def wait(self) -> int:
        """Return its exit code, once it has ended."""
        return self.popen.wait(SECONDS)


def _environment() -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if not name.endswith("_URL")}


@contextmanager
def running(service: str, given: Mapping[str, str], log: Path) -> Iterator[Process]:
    """Run a service meanwhile."""
    process = Process(service, given, log)
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
        process.wait()


def near(database: Database, bus: Bus, service: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database.dsn(f"desk_{service}"),
        "NATS_URL": bus.url(service),
    }


@pytest.mark.parametrize("service", ["sla_watcher", "escalation"])
def test_a_service_follows_the_log_and_stops_when_told(
    service: str, desk: Desk, bus: Bus, tmp_path: Path
) -> None:
    desk.happen(1, 2, 3)
    given = near(desk.database, bus, service)
    with running(service, given, tmp_path / "log") as process:
        until(process.is_ready, "it is ready")
        schema = "sla" if service == "sla_watcher" else "escalation"
        query = f"SELECT position FROM {schema}.tracking"
        until(lambda: desk.ask(query) == [(3,)], "it has read all")
        process.popen.terminate()

        assert process.wait() == 0
        assert process.lines()[-1]["event"] == "service.stopped"


def test_a_service_whose_database_became_read_only_says_so(
    desk: Desk, bus: Bus, tmp_path: Path
) -> None:
    """It has nothing to write: no reader is behind, and no timer overdue."""
    role = f"ALTER ROLE desk_sla_watcher IN DATABASE {desk.database.name}"
    reconnects = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'desk_sla_watcher'"
    )
    given = near(desk.database, bus, "sla_watcher")
    with running("sla_watcher", given, tmp_path / "log") as process:
        until(process.is_ready, "it is ready")
        desk.tell(f"{role} SET default_transaction_read_only = on")
        desk.tell(reconnects)
        until(lambda: "PostgreSQL is read-only" in str(process.ready()), "it says why")
        assert not process.is_ready()

        desk.tell(f"{role} RESET default_transaction_read_only")
        desk.tell(reconnects)
        until(process.is_ready, "it is ready again")


def test_a_service_that_waits_for_its_servers_lives_and_stops_when_told(
    tmp_path: Path,
) -> None:
    with running("sla_watcher", NOWHERE, tmp_path / "log") as process:
        until(lambda: process.ready() is not None, "it answers")
        assert not process.is_ready()
        live = httpx.get(
            f"http://127.0.0.1:{process.port}/health/live", timeout=SECONDS
        )
        assert live.status_code == 200
        away = ('"log.away"', '"nats.away"')
        log = tmp_path / "log"
        until(
            lambda: all(each in log.read_text(encoding="utf-8") for each in away),
            "it has tried both",
        )
        process.popen.terminate()

        assert process.wait() == 0
        told = [line["event"] for line in process.lines()]
        assert told.count("log.away") == 1
        assert told.count("nats.away") == 1


def test_a_missing_and_a_wrong_setting_are_named(tmp_path: Path) -> None:
    given = {"NATS_URL": NOWHERE["NATS_URL"], "PERMANENCE_HTTP_PORT": "many"}
    with running("sla_watcher", given, tmp_path / "log") as process:
        assert process.wait() == 2
        named = [line["setting"] for line in process.lines()]
        assert named == ["DATABASE_URL", "http_port"]


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = NOWHERE | {"PERMANENCE_HTTP_PORT": str(taken.getsockname()[1])}
        with running("sla_watcher", given, tmp_path / "log") as process:
            assert process.wait() == 1
            assert "PERMANENCE_HTTP_PORT" in process.lines()[-1]["why"]


def test_a_database_url_that_is_no_address_is_told_without_its_password(
    tmp_path: Path,
) -> None:
    given = NOWHERE | {"DATABASE_URL": "mysql://desk:hunter2@host/x"}
    with running("sla_watcher", given, tmp_path / "log") as process:
        assert process.wait() == 1
        assert "DATABASE_URL is not an address" in process.lines()[-1]["why"]
        assert "hunter2" not in json.dumps(process.lines())


def test_a_frozen_service_is_overtaken_and_lets_the_other_one_go_on(
    desk: Desk, bus: Bus, tmp_path: Path
) -> None:
    async def scenario(process: Process) -> None:
        await eventually(process.is_ready)
        desk.happen(1)
        await eventually(lambda: desk.tracked() == 1)
        process.popen.send_signal(signal.SIGSTOP)
        async with reading(desk, standby=0.1):
            for position in (2, 3):
                desk.happen(1)
                await eventually(lambda p=position: desk.tracked() == p)  # type: ignore[misc]
            process.popen.send_signal(signal.SIGCONT)
            for position in range(4, 24):
                desk.happen(1)
                await eventually(lambda p=position: desk.tracked() == p)  # type: ignore[misc]
        await eventually(process.is_ready)

    given = near(desk.database, bus, "sla_watcher")
    with running("sla_watcher", given, tmp_path / "log") as process:
        asyncio.run(scenario(process))
        process.popen.terminate()
        assert process.wait() == 0
        assert all(line["level"] != "error" for line in process.lines())
    # What the frozen one passed before and after changes nothing here; no event twice.
    assert len(desk.seen()) == len(set(desk.seen()))
    assert {2, 3} <= set(desk.seen())
