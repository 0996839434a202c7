"""A dump that is restored under another name is the same log, as well guarded."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from services.intake.records.reference_numbers import new_refs
from services.projections.generations import as_of
from services.projections.read_models import MODELS
from services.projections.rebuild.rebuild import ensure
from shared.clock import real_clock
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import broken_at, incident, member, positions
from tests.support.compose import ROOT
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database, PostgresServer, postgres_programs

pytestmark = pytest.mark.servers

PAGE = ROOT / "docs" / "how-to" / "back-up-and-restore.md"


@pytest.fixture
def restored(
    database: Database, log: EventLog, postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[Database]:
    """Dump a log of three events and restore it beside the first one."""
    with log.transaction() as cursor:
        new_refs(cursor, "incident", 7)
        log.append(cursor, [member(incident(1), 1, 2, 3)])
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("CREATE SEQUENCE public.trapped")
    own = database.dsn("desk_projections")
    schema = ensure(own, MASTER, MODELS["timeline"], real_clock)
    with psycopg.connect(own) as thief:
        thief.execute(
            f"CREATE FUNCTION {schema}.evil() RETURNS boolean LANGUAGE plpgsql AS"
            " $$ BEGIN IF session_user <> 'desk_projections'"
            " THEN PERFORM nextval('public.trapped'); END IF; RETURN true; END $$;"
            f"ALTER TABLE {schema}.tracking ADD CHECK ({schema}.evil())".encode()
        )
    programs = postgres_programs()
    copy = Database(database.cluster, f"{database.name}_restored")
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {copy.name}".encode())
    dump = tmp_path / "permanence.dump"
    said = ("-Fc", "-d", database.owner_dsn, *_documented(), "-f", str(dump))
    run(programs / "pg_dump", *said)
    run(programs / "pg_restore", "--exit-on-error", "-d", copy.owner_dsn, dump)
    yield copy
    postgres_server.drop(copy)


def _documented() -> list[str]:
    """Return what the page says to leave out of a dump."""
    (line,) = re.findall(r"pg_dump -Fc -d \S+ (.*) -f", PAGE.read_text("utf-8"))
    return shlex.split(line)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_restored_dump_goes_on_where_the_log_was(restored: Database) -> None:
    assert broken_at(restored.owner_dsn) is None
    dsn = restored.dsn("desk_intake")
    with closing(EventLog.open(dsn, master=MASTER)) as log:
        with log.transaction() as cursor:
            assert new_refs(cursor, "incident", 1) == ["INC-000008"]
            log.append(cursor, [member(incident(1), 4)])
        assert log.head_version(incident(1)) == 4
        assert log.epochs().newest.id.number == 1
    assert positions(restored.owner_dsn) == [1, 2, 3, 4]


def test_a_restored_dump_refuses_what_the_log_refuses(restored: Database) -> None:
    with (
        psycopg.connect(restored.owner_dsn) as owner,
        pytest.raises(psycopg.errors.IntegrityError, match="append-only"),
    ):
        owner.execute("DELETE FROM log.events")
    with (
        closing(EventLog.open(restored.dsn("desk_escalation"), master=MASTER)) as other,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        other.transaction() as cursor,
    ):
        other.append(cursor, [member(incident(1), 4)])


def test_a_restored_dump_runs_nothing_that_a_service_has_put_into_its_tables(
    restored: Database,
) -> None:
    """Its owner restores it, and the service makes what it owns again."""
    with psycopg.connect(restored.owner_dsn) as owner:
        called = owner.execute("SELECT is_called FROM public.trapped").fetchone()
    own = restored.dsn("desk_projections")
    schema = ensure(own, MASTER, MODELS["timeline"], real_clock)
    with psycopg.connect(own) as connection:
        position = as_of(connection.cursor(), schema).position

    assert (called, position) == ((False,), 3)
