"""`permanence up` with the real services: all come up, come back, and are looked at."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.error import HTTPError

import psutil
import psycopg
import pytest

from standalone.services import SERVICES
from tests.support.desks.supervised import (
    SMALL_DESK,
    all_gone,
    ask,
    family,
    running_desk,
)
from tests.support.folders import reachable_folder
from tests.support.patience import awaited, until
from tests.support.servers.servers import running_nats, running_postgres

PERMANENCE = (sys.executable, "-m", "services")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


def is_ready(url: str) -> bool:
    try:
        return bool(json.loads(ask(url))["status"] == "ready")
    except HTTPError:
        return False


def test_every_service_comes_up_comes_back_and_is_found_well(folder: Path) -> None:
    with running_desk(folder / "home", (*PERMANENCE, "up")) as desk:
        children = family(desk.until_up().pid)
        names = {service.name for service in SERVICES}
        assert set(desk.run.pids) == names | {"supervisor", "postgres", "nats"}
        until(partial(is_ready, desk.run.intake_url), "intake is ready")
        assert desk.run.token.startswith("pmn_")
        assert desk.run.source_key.startswith("pmn_")

        another_shell = {
            name: value
            for name, value in desk.environment.items()
            if not name.endswith("_PORT")
        }
        # A service that is slow for a moment is not well then.
        looked = awaited(
            lambda: subprocess.run(
                [*PERMANENCE, "doctor", "--json"],
                env=another_shell,
                capture_output=True,
                text=True,
                check=False,
            ),
            lambda looked: looked.returncode == 0,
            "doctor finds nothing",
        )
        findings = [json.loads(line) for line in looked.stdout.splitlines()]
        assert [finding for finding in findings if not finding["ok"]] == []
        assert {finding["name"] for finding in findings} >= names

        for name in sorted(names):
            before = desk.run.pids[name]
            psutil.Process(before).kill()
            desk.until(f"{name} │ was ended by SIGKILL")
            desk.until(rf"{name} │ .*http\.listening")
            assert desk.run.pids[name] != before
        stopped = subprocess.run(
            [*PERMANENCE, "down"],
            env=desk.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "has stopped" in stopped.stdout
        assert desk.ended() == 0
        assert all_gone(children)


def test_the_servers_of_another_are_used_and_left_alone(folder: Path) -> None:
    with (
        running_postgres(folder, durable=False) as postgres,
        running_nats(folder, durable=False) as bus,
    ):
        with psycopg.connect(
            postgres.cluster.dsn("postgres"), autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE theirs")
        theirs = {
            "DATABASE_URL": postgres.cluster.dsn("theirs"),
            "NATS_URL": bus.bus.url("admin"),
        }
        with running_desk(folder / "home", SMALL_DESK, **theirs) as desk:
            desk.until_up()
            assert desk.run.database_url == theirs["DATABASE_URL"]
            assert desk.run.nats_url == theirs["NATS_URL"]
            assert set(desk.run.pids) == {"supervisor", "intake", "projections"}
            assert json.loads(ask(desk.run.intake_url))["role"] == "desk_intake"
        assert postgres.alive()
        assert bus.alive()
        assert not (folder / "home" / "postgres").exists()


def test_doctor_says_what_is_wrong_and_what_to_do(folder: Path) -> None:
    with running_desk(folder / "home", SMALL_DESK) as desk:
        desk.until_up()
        looked = subprocess.run(
            [*PERMANENCE, "doctor"],
            env=desk.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert looked.returncode == 1
    assert "failed  sla_watcher: does not answer" in looked.stdout
    assert "→ See what sla_watcher says" in looked.stdout
    assert "Traceback" not in looked.stderr
