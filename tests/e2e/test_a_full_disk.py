"""A full disk makes each service red, and green again as soon as there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

pytestmark = pytest.mark.e2e

SIZE = "192m"
TRIES_MAX = 2_000
"""Signals after which a table must have wanted another block of the disk."""
MEGABYTE = bytes(1 << 20)
OTHERS = ("sla_watcher", "escalation", "projections")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with reachable_folder() as folder:
        mount = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={SIZE},mode=711",
            "tmpfs",
            str(folder),
        ]
        if os.getuid() or subprocess.run(mount, check=False).returncode:
            pytest.skip("this machine does not let us mount a small disk")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


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
    check = desk.checks(name)["writing"]
    return bool(check["ready"]) and "alarm" not in check


def test_all_are_red_while_the_disk_is_full(small_disk: Path) -> None:
    with running_desk(small_disk) as desk:
        assert send(desk, 0) == 202
        filler = small_disk / "filler"
        fill(filler)

        answers = (send(desk, number) for number in range(1, TRIES_MAX))
        assert next(answer for answer in answers if answer != 202) == 503

        until(lambda: ready(desk).status_code == 503, "it is not ready")
        checks = {check["name"]: check for check in ready(desk).json()["checks"]}
        assert "No space left on device" in checks["recording"]["why"]
        assert checks["recording"]["commits_failed_total"] >= 1
        for name in OTHERS:
            until(lambda name=name: not writes(desk, name), f"{name} says so")  # type: ignore[misc]

        filler.unlink()
        until(lambda: ready(desk).status_code == 200, "it is ready again, unasked")
        assert send(desk, TRIES_MAX) == 202
        for name in OTHERS:
            until(lambda name=name: writes(desk, name), f"{name} writes again")  # type: ignore[misc]
        desk.wait_ready()
