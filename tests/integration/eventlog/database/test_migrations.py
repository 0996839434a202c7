"""Tables are made once, however many begin at the same time on an empty server."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest

from shared.database import migrate as migrations
from shared.database.migrate import (
    MIGRATIONS,
    ROLES,
    Mismatch,
    migrate,
    wait_until_migrated,
)
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import (
    ROLE_PASSWORDS,
    Database,
    PostgresServer,
    running_postgres,
)

pytestmark = pytest.mark.servers

FILES = [path.name for path in sorted(MIGRATIONS.glob("*.sql"))]

SERVICE = """
import sys
from shared.eventlog.log import EventLog
from shared.database.migrate import wait_until_migrated
from tests.support.limits import be_patient
from tests.support.patience import SECONDS
be_patient()
wait_until_migrated(sys.argv[1], seconds=SECONDS)
log = EventLog.open(sys.argv[1], pool_size=1)
print(log.head().position)
log.close()
"""
MIGRATION = """
import sys
from shared.database.migrate import migrate
from tests.support.servers.servers import ROLE_PASSWORDS
print(len(migrate(sys.argv[1], ROLE_PASSWORDS)))
"""


@pytest.fixture(scope="module")
def virgin_server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL that has none of our roles yet."""
    with (
        reachable_folder() as folder,
        running_postgres(folder, durable=False, virgin=True) as server,
    ):
        yield server


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give an empty database of a server that has our roles."""
    made = Database(postgres_server.cluster, "empty")
    with psycopg.connect(made.cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
        yield made
        connection.execute("DROP DATABASE empty WITH (FORCE)")


def start(program: str, dsn: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, dsn]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_services_and_migrations_of_two_databases_all_come_up_together(
    virgin_server: PostgresServer,
) -> None:
    databases = [Database(virgin_server.cluster, name) for name in ("one", "two")]
    owner = virgin_server.cluster.dsn("postgres")
    with psycopg.connect(owner, autocommit=True) as connection:
        for database in databases:
            connection.execute(f"CREATE DATABASE {database.name}".encode())

    services = [
        start(SERVICE, database.dsn(role))
        for database in databases
        for role in ("desk_intake", "desk_sla_watcher")
    ]
    migrating = [start(MIGRATION, each.owner_dsn) for each in databases for _ in "12"]

    applied = [each.communicate(timeout=SECONDS)[0].strip() for each in migrating]
    heads = [each.communicate(timeout=SECONDS)[0].strip() for each in services]
    assert sorted(applied) == sorted(["0", "0", str(len(FILES)), str(len(FILES))])
    assert heads == ["0", "0", "0", "0"]


WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s"


@pytest.mark.parametrize("rivals", ["CREATE", "ALTER"])
def test_a_role_that_another_database_makes_just_now_is_provided_all_the_same(
    virgin_server: PostgresServer, rivals: str
) -> None:
    """Roles belong to the cluster: our lock on one database does not guard them."""
    dsn = virgin_server.cluster.dsn("postgres")
    role = f"desk_{rivals.lower()}"
    with (
        psycopg.connect(dsn) as first,
        psycopg.connect(dsn, autocommit=True) as second,
        psycopg.connect(dsn, autocommit=True) as watcher,
        ThreadPoolExecutor(1) as pool,
    ):
        if rivals == "ALTER":
            watcher.execute(f"CREATE ROLE {role}".encode())
        first.execute(f"{rivals} ROLE {role} NOLOGIN".encode())
        providing = pool.submit(migrations._provide_role, second, role, "secret")
        waits = partial(watcher.execute, WAITING, (second.info.backend_pid,))
        until(lambda: providing.done() or waits().rowcount > 0, "it waits for the role")
        assert not providing.done()
        first.commit()
        providing.result(timeout=SECONDS)

    with psycopg.connect(virgin_server.cluster.dsn("postgres", role, "secret")) as in_:
        assert in_.execute("SELECT current_user").fetchone() == (role,)


def test_a_second_migration_does_nothing(database: Database) -> None:
    assert migrate(database.owner_dsn, {}) == []
    with psycopg.connect(database.dsn("desk_intake")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_all_files_are_applied_in_order(empty: Database) -> None:
    assert migrate(empty.owner_dsn, {}) == FILES


def test_a_migration_that_was_killed_goes_on_where_it_was(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in FILES[:2]:
        (tmp_path / name).write_bytes((MIGRATIONS / name).read_bytes())
    broken = tmp_path / "0099_broken.sql"
    broken.write_text("CREATE SCHEMA half; SELECT 1/0;")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", tmp_path)
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(empty.owner_dsn, {})

    assert migrate(empty.owner_dsn, {}) == FILES[2:]
    with psycopg.connect(empty.owner_dsn) as connection:
        assert connection.execute("SELECT to_regnamespace('half')").fetchone() == (
            None,
        )


def test_an_operators_view_that_is_in_the_way_is_named(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, changed = tmp_path / "0001_made.sql", tmp_path / "0002_changed.sql"
    made.write_text("CREATE TABLE people (name text)")
    monkeypatch.setattr(migrations, "MIGRATIONS", tmp_path)
    migrate(empty.owner_dsn, {})
    changed.write_text("ALTER TABLE people ALTER name TYPE text")
    with psycopg.connect(empty.owner_dsn, autocommit=True) as operator:
        operator.execute("CREATE VIEW mine AS SELECT name FROM people")
        with pytest.raises(Mismatch, match=r"0002_changed\.sql .* on view mine .*drop"):
            migrate(empty.owner_dsn, {})
        operator.execute("DROP VIEW mine")
    assert migrate(empty.owner_dsn, {}) == ["0002_changed.sql"]


def test_passwords_reach_the_server_hashed(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        held = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = ANY(%s)", (list(ROLES),)
        ).fetchall()

    assert {password.split("$")[0] for (password,) in held} == {"SCRAM-SHA-256"}
    assert not {password for (password,) in held} & set(ROLE_PASSWORDS.values())


def test_a_file_that_was_applied_in_another_form_is_never_applied_again(
    database: Database,
) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("UPDATE migrations SET digest = 'x' WHERE name LIKE '0001%'")

    with pytest.raises(Mismatch, match=r"0001_log\.sql was applied in another form"):
        migrate(database.owner_dsn, {})
    with pytest.raises(Mismatch, match=r"0001_log\.sql in another form"):
        wait_until_migrated(database.dsn("desk_intake"), seconds=30)


def test_a_postgresql_that_is_too_old_is_told_before_anything_is_changed(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.database.migrate.POSTGRES_MIN", 990_000)

    with pytest.raises(Mismatch, match="too old: upgrade it to 99 or later"):
        migrate(empty.owner_dsn, {})
    with psycopg.connect(empty.owner_dsn) as connection:
        made = connection.execute("SELECT to_regclass('public.migrations')").fetchone()
    assert made == (None,)


def test_a_service_before_the_migration_says_what_to_run(empty: Database) -> None:
    with pytest.raises(Mismatch, match="run `permanence migrate`"):
        wait_until_migrated(empty.owner_dsn, seconds=0)


def test_a_service_newer_than_the_database_says_what_it_lacks(
    database: Database,
) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("DELETE FROM migrations WHERE name LIKE '0004%'")

    with pytest.raises(Mismatch, match=r"lacks 0004_access\.sql: run `permanence"):
        wait_until_migrated(database.dsn("desk_intake"), seconds=0)


def test_a_service_older_than_the_database_works(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("INSERT INTO migrations VALUES ('9999_later.sql', 'x')")

    wait_until_migrated(database.dsn("desk_intake"), seconds=SECONDS)


@pytest.mark.parametrize(
    ("kept", "after"),
    [
        pytest.param(["at", "by"], ["at", "by"], id="after a later version"),
        pytest.param(["at", "by", "former"], ["at", "by"], id="after an earlier one"),
    ],
)
def test_an_event_only_needs_the_fields_that_every_version_records(
    database: Database, kept: list[str], after: list[str]
) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE log.event_shapes SET required = %s WHERE topic = 'incident.edited'",
            (kept,),
        )
        migrate(database.owner_dsn, ROLE_PASSWORDS)
        found = connection.execute(
            "SELECT required FROM log.event_shapes WHERE topic = 'incident.edited'"
        )
        assert found.fetchall() == [(after,)]


def test_a_database_that_is_away_is_not_called_empty() -> None:
    with pytest.raises(Mismatch, match=r"not reachable .*: is DATABASE_URL right"):
        wait_until_migrated("postgresql://x:y@127.0.0.1:1/z", seconds=0)
