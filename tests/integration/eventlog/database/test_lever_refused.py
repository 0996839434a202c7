"""A lever moves the time of a log that was made for it, and of no other."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from shared.clock import set_lever
from standalone.postgres import demand_lever, migrate_desk
from standalone.startup_error import Exit, StartupError
from tests.support.servers.servers import ROLE_PASSWORDS, Database

pytestmark = pytest.mark.servers

REFUSED = "PERMANENCE_CLOCK_LEVER is set, but this log goes by PostgreSQL's clock"


@pytest.fixture
def lever(tmp_path: Path) -> Path:
    file = tmp_path / "lever.json"
    set_lever(file, datetime(2025, 6, 30, 12, tzinfo=UTC))
    return file


def ended(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # a starved machine takes minutes to import
    )


@pytest.mark.desks
@pytest.mark.parametrize(
    "service", ["intake", "sla_watcher", "escalation", "projections"]
)
def test_no_service_starts_with_a_lever_on_a_log_that_goes_by_postgresql(
    server_time_database: Database, lever: Path, service: str
) -> None:
    environment = {
        "DATABASE_URL": server_time_database.dsn(f"desk_{service}"),
        "NATS_URL": "nats://127.0.0.1:1",
        "PERMANENCE_CLOCK_LEVER": str(lever),
        "PERMANENCE_INTAKE_URL": "http://127.0.0.1:1",
    }

    process = ended([f"services.{service}"], environment)

    assert process.returncode == 2, process.stderr
    assert REFUSED in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["token", "list"],
        ["restored", "--reason", "a test", "--force"],
        ["sla", "explain", "INC-000001"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_takes_a_lever_for_a_log_that_goes_by_postgresql(
    server_time_database: Database, lever: Path, command: Sequence[str]
) -> None:
    environment = {
        "DATABASE_URL": server_time_database.owner_dsn,
        "PERMANENCE_CLOCK_LEVER": str(lever),
    }

    process = ended(["services", *command], environment)

    assert process.returncode != 0
    assert REFUSED in " ".join((process.stdout + process.stderr).split())


def test_a_desk_on_one_machine_refuses_it_too(
    server_time_database: Database, database: Database, lever: Path
) -> None:
    demand_lever(database.owner_dsn, lever)
    with pytest.raises(StartupError, match=REFUSED) as refused:
        demand_lever(server_time_database.owner_dsn, lever)
    assert refused.value.code == Exit.USAGE

    with pytest.raises(StartupError, match="clock mode `server`") as wrong_mode:
        migrate_desk(server_time_database.owner_dsn, ROLE_PASSWORDS, "lever")
    assert wrong_mode.value.code == Exit.MIGRATION


@pytest.mark.parametrize("mode", ["server", "lever"])
def test_the_owner_chooses_the_mode_when_migrating(
    database: Database, mode: str
) -> None:
    name = f"chosen_{mode}"
    owner = database.cluster.dsn("postgres")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        chosen = Database(database.cluster, name)

        process = ended(
            ["services", "migrate", "--clock", mode],
            {"DATABASE_URL": chosen.owner_dsn},
        )

        assert process.returncode == 0, process.stderr
        with psycopg.connect(chosen.owner_dsn) as inside:
            row = inside.execute("SELECT mode FROM log.clock").fetchone()
        assert row == (mode,)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
