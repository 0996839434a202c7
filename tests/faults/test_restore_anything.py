"""An older copy of the database is put under four running services.

Nothing is decided or sent until somebody says so; afterwards no reference, no key and
no cached state of the lost history is used again.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.desk import SERVICES, Desk, running_desk, until
from tests.support.logs import broken_at
from tests.support.restoring import back_up, put_back
from tests.support.servers import reachable_folder

SECONDS = 90


@pytest.fixture
def desk() -> Iterator[Desk]:
    with reachable_folder() as folder, running_desk(folder, durable=True) as desk:
        yield desk


def send(desk: Desk, key: str, action: str = "trigger") -> httpx.Response:
    body = {
        "dedup_key": key,
        "action": action,
        "title": f"{key} is down",
        "severity": "error",
        "service": "web",
    }
    return httpx.post(
        f"{desk.intake_url}/v1/events",
        json=body,
        headers=desk.bearer("source"),
        timeout=20,
    )


def opened(desk: Desk, key: str) -> str:
    """Send an alert until it is taken; return its incident."""
    found: dict[str, Any] = {}

    def taken() -> bool:
        answer = send(desk, key)
        if answer.is_success:
            found.update(answer.json()["results"][0])
        return answer.is_success

    until(taken, f"{key} is taken", SECONDS)
    return str(found["incident"])


def seen_position(desk: Desk) -> int:
    """Return how far NATS knows the log."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.last_seen", desk.nats.bus.url("admin")],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def command(desk: Desk, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "services",
            "restored",
            "--reason",
            "backup of this morning",
            "--by",
            "root",
            "--database",
            desk.database.dsn("desk_admin"),
            "--nats",
            desk.nats.bus.url("admin"),
            "--json",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def health(desk: Desk, name: str) -> str:
    url = f"http://127.0.0.1:{desk.ports[name]}/health/ready"
    return httpx.get(url, timeout=20).text


def test_a_restore_stops_the_desk_until_its_epoch_is_renewed(desk: Desk) -> None:
    assert opened(desk, "before") == "INC-000001"
    copy = back_up(desk.postgres)
    desk.wait_ready()
    assert opened(desk, "database") == "INC-000002"
    log = desk.log()
    lost = log.head().position
    log.close()
    until(lambda: seen_position(desk) >= lost, "NATS knows the head", SECONDS)

    put_back(desk.postgres, copy)

    until(lambda: send(desk, "mail").status_code == 503, "a 503", SECONDS)
    until(
        lambda: send(desk, "mail").json().get("code") == "log_not_continued",
        "intake says that the log does not continue",
        SECONDS,
    )
    for name in SERVICES:
        until(
            lambda name=name: "permanence restored" in health(desk, name),  # type: ignore[misc]
            f"{name} is red and names the command",
            SECONDS,
        )

    done = command(desk)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["epoch"] == 2
    assert said["begins_after"] < lost <= said["last_seen"]

    fresh = opened(desk, "mail")
    assert int(fresh.removeprefix("INC-")) > 10_000
    desk.wait_ready()
    assert broken_at(desk.database.owner_dsn) is None
    again = command(desk)
    assert again.returncode == 2
    assert "continues what was last seen" in again.stdout
