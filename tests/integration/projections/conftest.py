"""A running API, a log, and the command line, on servers of the session."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import command_line
from shared.eventlog.log import EventLog
from shared.vault.master_keys import text_of
from standalone.nats import Bus
from tests.support.builders.june_log import June
from tests.support.desks.api import MASTER, Api, serving
from tests.support.servers.servers import Database

Run = Callable[..., Result]


@pytest.fixture
def api(database: Database, bus: Bus, tmp_path: Path) -> Iterator[Api]:
    """Give an API with an empty log."""
    with serving(database, bus, tmp_path) as running:
        yield running


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    """Give the log of the database, as its owner with the vault's key."""
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as opened:
        yield opened


@pytest.fixture
def month(api: Api) -> Iterator[June]:
    """Give the log of a June, with a policy in force."""
    written = June(api.database)
    with closing(written.log):
        written.applied()
        yield written


@pytest.fixture(scope="module")
def shared_api(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """Give an API to tests that change nothing another test sees."""
    folder = tmp_path_factory.mktemp("api")
    with serving(shared_database, shared_bus, folder) as running:
        yield running


@pytest.fixture(scope="module")
def shared_month(shared_api: Api) -> Iterator[June]:
    """Give the log of a June with a policy in force to tests that only read."""
    written = June(shared_api.database)
    with closing(written.log):
        written.applied()
        yield written


@pytest.fixture
def environment(database: Database, tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "vault.key"
    key.write_text(text_of(MASTER.keys), encoding="ascii")
    return {
        **os.environ,
        "DATABASE_URL": database.owner_dsn,
        "PERMANENCE_PROJECTIONS_DATABASE_URL": database.dsn("desk_projections"),
        "PERMANENCE_VAULT_KEY_FILE": str(key),
        "PERMANENCE_HOME": str(tmp_path / "none"),
        "COLUMNS": "200",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def permanence(*words: str, **more: str) -> Result:
        return CliRunner().invoke(command_line(), words, env={**environment, **more})

    return permanence
