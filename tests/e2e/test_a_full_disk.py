"""A full disk: PostgreSQL goes on once there is room, NATS once it is restarted."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from shared.eventlog.continuity import watch as watch_module
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.log import EventLog
from shared.messaging import subjects
from standalone.nats import Bus
from tests.support.continuity import watching
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, eventually, until
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database, NatsServer, running_nats

SIZE = "192m"
TRIES_MAX = 2_000
"""Signals after which a table must have wanted another block of the disk."""
MEGABYTE = bytes(1 << 20)
TAKEN = 20
OTHERS = ("sla_watcher", "escalation", "projections")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with reachable_folder() as folder:
        disk = folder / "disk"  # the folder itself is locked, so that nobody sweeps it
        disk.mkdir()
        mount = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={SIZE},mode=711",
            "tmpfs",
            str(disk),
        ]
        if os.getuid() or subprocess.run(mount, check=False).returncode:
            pytest.skip("this machine does not let us mount a small disk")
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)


def fill(file: Path) -> None:
    """Write until nothing more fits, not even a block."""
    with suppress(OSError), file.open("wb", buffering=0) as filling:
        while filling.write(MEGABYTE) == len(MEGABYTE):
            pass
    with suppress(OSError), file.open("ab", buffering=0) as filling:
        while filling.write(bytes(512)):
            pass


def send(desk: Desk, number: int) -> int:
    """Send a signal of a trouble of its own; return the status of the answer."""
    signal = {"action": "trigger", "title": "full", "dedup_key": f"key-{number}"}
    url, headers = f"{desk.intake_url}/v1/events", desk.bearer("source")
    return httpx.post(url, json=signal, headers=headers, timeout=SECONDS).status_code


def ready(desk: Desk) -> httpx.Response:
    return httpx.get(f"{desk.intake_url}/health/ready", timeout=SECONDS)


def writes(desk: Desk, name: str) -> bool:
    """Tell whether a service says that its events would be recorded."""
    check = desk.check(name, "writing")
    return bool(check["ready"]) and "alarm" not in check


def test_all_are_red_while_the_disk_is_full(small_disk: Path) -> None:
    with running_desk(small_disk) as desk:
        until(lambda: send(desk, 0) == 202, "a signal is taken")
        filler = small_disk / "filler"
        fill(filler)

        answers = (send(desk, number) for number in range(1, TRIES_MAX))
        assert next(answer for answer in answers if answer != 202) == 503

        recording = desk.check(
            "intake",
            "intake",
            lambda said: "No space left on device" in said.get("why", ""),
        )
        assert not recording["ready"]
        assert recording["commits_failed_total"] >= 1
        for name in OTHERS:
            until(lambda name=name: not writes(desk, name), f"{name} says so")  # type: ignore[misc]

        filler.unlink()
        until(lambda: ready(desk).status_code == 200, "it is ready again, unasked")
        until(lambda: send(desk, TRIES_MAX) == 202, "a signal is taken again")
        for name in OTHERS:
            until(lambda name=name: writes(desk, name), f"{name} writes again")  # type: ignore[misc]
        desk.wait_ready()


def test_nats_keeps_all_it_took_and_says_that_it_has_to_be_restarted(
    small_disk: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "PROVE_SECONDS", 0.1)
    monkeypatch.setattr(watch_module, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(watch_module, "UNKEPT_SECONDS", 0.5)
    # As long as it takes a machine that is busy to fail twice.
    monkeypatch.setattr(watch_module, "FORGET_SECONDS", SECONDS)

    async def is_taken(bus: Bus, body: bytes, seconds: float = SECONDS) -> bool:
        async with connected_to(bus.url("admin")) as client:
            jetstream = client.jetstream(timeout=seconds)
            try:
                await jetstream.publish("desk.signal.a", body)
            except TimeoutError:  # it says nothing at all
                return False
            return True

    async def alarmed(watch: ContinuityWatch) -> bool:
        return "restart nats-server" in (await watch.probe()).alarm

    async def kept(bus: Bus) -> int:
        async with connected_to(bus.url("admin")) as client:
            stream = await client.jetstream().stream_info(subjects.SIGNALS_STREAM)
            return stream.state.messages

    async def scenario(server: NatsServer, log: EventLog) -> None:
        async with watching(log, server.bus) as watch:
            for number in range(TAKEN):
                assert await is_taken(server.bus, b"%d" % number)
            filler = small_disk / "filler"
            fill(filler)
            body = bytes(10_000)
            await eventually(lambda: refuses(server.bus, body))
            await eventually(lambda: alarmed(watch))

            filler.unlink()
            assert not await is_taken(server.bus, body, 1), "room alone does not help"
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(lambda: server.start().wait())
            assert await kept(server.bus) >= TAKEN
            await eventually(lambda: is_taken(server.bus, body))
            await eventually(lambda: is_well(watch))

    async def refuses(bus: Bus, body: bytes) -> bool:
        return not await is_taken(bus, body, 1)

    async def is_well(watch: ContinuityWatch) -> bool:
        return not (await watch.probe()).alarm

    with (
        running_nats(small_disk) as server,
        closing(EventLog.open(database.dsn("desk_intake"), pool_size=2)) as log,
    ):
        asyncio.run(scenario(server, log))
