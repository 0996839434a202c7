"""What stands in the way of a start: each time a sentence and its own exit code."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from standalone.readiness import listens, wait_until_ready
from standalone.startup_error import Exit, StartupError
from tests.support.desks.supervised import RunningDesk, running_desk
from tests.support.folders import reachable_folder
from tests.support.ports import reserved_port

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to set the scene")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder / "home"


def refuses(desk: RunningDesk, code: Exit, *words: str) -> None:
    """Expect an end with `code`, one sentence, no traceback and nothing left."""
    assert desk.ended() == code, desk.said
    for word in words:
        assert word in desk.said
    assert "Traceback" not in desk.said
    assert not (desk.home / "run.json").exists()


def test_a_taken_port(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with running_desk(home, PERMANENCE_API_PORT=port) as desk:
            refuses(desk, Exit.PORT_TAKEN, port, "PERMANENCE_API_PORT=…")


def test_all_taken_ports_in_one_sentence(home: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = [str(taken.getsockname()[1]) for taken in (one, two)]
        chosen = dict(
            zip(("PERMANENCE_API_PORT", "PERMANENCE_INTAKE_PORT"), ports, strict=True)
        )
        with running_desk(home, **chosen) as desk:
            advice = "PERMANENCE_INTAKE_PORT=… PERMANENCE_API_PORT=… make up"
            refuses(desk, Exit.PORT_TAKEN, *ports, advice)


def test_one_port_for_two_services(home: Path) -> None:
    port = str(reserved_port())
    chosen = {"PERMANENCE_API_PORT": port, "PERMANENCE_INTAKE_PORT": port}
    with running_desk(home, **chosen) as desk:
        refuses(desk, Exit.USAGE, "meant for intake and for projections")


def test_a_taken_port_of_our_own_servers(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with running_desk(home, PERMANENCE_NATS_PORT=port) as desk:
            refuses(desk, Exit.PORT_TAKEN, port, "PERMANENCE_NATS_PORT=…")


def test_a_desk_that_runs_already(home: Path) -> None:
    with running_desk(home) as first:
        first.until_up()
        with running_desk(home) as second:
            assert second.ended() == Exit.ALREADY_RUNNING
            assert f"process {first.pid}" in second.said
            assert "make down" in second.said
        assert first.run.pids["supervisor"] == first.pid


def test_the_lock_file_of_a_killed_desk_is_no_obstacle(home: Path) -> None:
    home.mkdir()
    (home / "lock").write_text(str(os.getpid()))  # the number lives, the lock does not
    with running_desk(home) as desk:
        desk.until_up()


def test_a_folder_with_other_things_in_it_is_left_alone(home: Path) -> None:
    home.mkdir(mode=0o755)
    (home / "letters.txt").write_text("Dear Zoe")
    with running_desk(home) as desk:
        refuses(desk, Exit.FOLDER, "holds other things", "PERMANENCE_HOME=")
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_service_that_ends_at_once(home: Path) -> None:
    with running_desk(home, SMALL_DESK_BREAKS="intake") as desk:
        refuses(desk, Exit.FAILED, "intake is broken", "intake did not become ready")


def test_a_service_of_another_desk_on_our_port_is_not_ours(home: Path) -> None:
    with running_desk(home) as first:
        first.until_up()
        pid, stranger = first.run.pids["intake"], first.run.pids["projections"]
        port = int(first.run.intake_url.rpartition(":")[2])

        assert listens(pid, port)
        assert not listens(stranger, port)
        with pytest.raises(StartupError, match="intake did not become ready"):
            asyncio.run(
                wait_until_ready(
                    "intake", port, lambda: stranger, lambda: True, patience=0.5
                )
            )


@pytest.mark.parametrize("lost", ["credentials.json", "vault.key"])
def test_lost_credentials_are_never_made_anew_beside_data(
    home: Path, lost: str
) -> None:
    with running_desk(home) as desk:
        desk.until_up()
    (home / lost).unlink()

    with running_desk(home) as desk:
        refuses(desk, Exit.CREDENTIALS, lost, "from a backup")
    assert not (home / lost).exists()


def test_credentials_of_other_data(home: Path) -> None:
    with running_desk(home) as desk:
        owner = desk.until_up().run.database_url.split(":")[2].split("@")[0]
    file = home / "credentials.json"
    file.write_text(file.read_text().replace(owner, "another"))

    with running_desk(home) as desk:
        refuses(desk, Exit.CREDENTIALS, "these credentials belong to other data")


def test_credentials_nobody_can_read(home: Path) -> None:
    with running_desk(home) as desk:
        desk.until_up()
    (home / "credentials.json").write_text('{"owner"')

    with running_desk(home) as desk:
        refuses(desk, Exit.CREDENTIALS, "credentials.json cannot be read")


def test_a_variable_that_cannot_be_meant(home: Path) -> None:
    with running_desk(home, PERMANENCE_API_PORT="eighty") as desk:
        refuses(desk, Exit.USAGE, "PERMANENCE_API_PORT")


def test_a_database_of_another_that_is_away(home: Path) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{reserved_port()}/theirs"
    with running_desk(home, DATABASE_URL=url) as desk:
        refuses(desk, Exit.MIGRATION, "Connection refused", "DATABASE_URL")
    assert "secret" not in desk.said


def test_a_nats_of_another_that_is_away(home: Path) -> None:
    with running_desk(home, NATS_URL=f"nats://127.0.0.1:{reserved_port()}") as desk:
        refuses(desk, Exit.FAILED, "Nobody answers at NATS_URL")


def test_data_of_another_version(home: Path) -> None:
    with running_desk(home) as desk:
        run = desk.until_up().run
        with psycopg.connect(run.database_url) as connection:
            connection.execute("UPDATE public.migrations SET digest = 'another'")
    with running_desk(home) as desk:
        refuses(desk, Exit.MIGRATION, "in another form")


@as_user
def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with running_desk(tmp_path / "home") as desk:
        refuses(desk, Exit.FOLDER, "cannot be written", "PERMANENCE_HOME=…")


@as_root
def test_a_full_disk(home: Path) -> None:
    home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", home], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        with running_desk(home) as desk:
            refuses(desk, Exit.DISK_FULL, "MB are free", "PERMANENCE_HOME=…")
    finally:
        subprocess.run(["umount", home], check=True)
