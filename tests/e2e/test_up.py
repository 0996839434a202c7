"""One command: from an empty folder to a desk that serves, and a clean end."""

import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM, Signals
from typing import Any

import psutil
import psycopg
import pytest

from standalone.up import down
from tests.support.desks.supervised import all_gone, ask, family, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder / "home"


def servers_log(home: Path) -> str:
    """Return what its PostgreSQL and its NATS have said."""
    return (home / "servers.log").read_text(encoding="utf-8")


def test_an_empty_folder_becomes_a_desk_that_serves(home: Path) -> None:
    with running_desk(home, SMALL_DESK_CLUSTER="none") as desk:
        desk.until_up()

        assert json.loads(ask(desk.run.intake_url))["role"] == "desk_intake"
        assert json.loads(ask(desk.run.api_url))["role"] == "desk_projections"
        assert set(desk.run.pids) == {
            "supervisor",
            "postgres",
            "nats",
            "intake",
            "projections",
        }
        assert all(map(psutil.pid_exists, desk.run.pids.values()))
        with psycopg.connect(desk.run.admin_database_url) as connection:
            user = connection.execute("SELECT current_user").fetchone()
        assert user == ("desk_admin",)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches what it may")
def test_in_a_closed_folder_the_data_of_root_is_linked_from_it(home: Path) -> None:
    home.mkdir(mode=0o700)
    chosen = home / "clone" / ".permanence"
    try:
        with running_desk(chosen) as desk:
            desk.until_up()

            assert (chosen / "postgres" / "data").is_dir()
            assert f"The data is in {chosen.resolve()}" in desk.said
        assert stat.S_IMODE(home.stat().st_mode) == 0o700  # linked, not opened
    finally:
        shutil.rmtree((home / "clone").resolve())


def test_only_its_owner_reads_what_a_desk_keeps_secret(home: Path) -> None:
    with running_desk(home) as desk:
        desk.until_up()
        assert desk.said.count("not shown: not a terminal") == 2

        secret = ["run.json", "credentials.json", "vault.key", "nats/nats.conf"]
        modes = {name: stat.S_IMODE((home / name).stat().st_mode) for name in secret}
        assert modes == dict.fromkeys(secret, 0o600)
        assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0


def connections_of(process: psutil.Process) -> Sequence[Any]:
    """Return its connections; none if it has ended, as PostgreSQL's workers do."""
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:
        return ()


def test_everything_listens_on_this_machine_only(home: Path) -> None:
    with running_desk(home) as desk:
        desk.until_up()

        listening = {
            socket.laddr.ip
            for process in family(desk.pid)
            for socket in connections_of(process)
            if socket.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}


def test_a_second_start_resumes_data_credentials_and_ports(home: Path) -> None:
    with running_desk(home) as desk:
        first = desk.until_up().run
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'yes' AS word")

    with running_desk(home) as desk:
        second = desk.until_up().run
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("yes",)

    assert (second.database_url, second.nats_url) == (
        first.database_url,
        first.nats_url,
    )
    assert (first.token, second.token) == ("x", "xx")


def test_restored_data_gets_a_new_epoch_before_anything_is_decided(home: Path) -> None:
    with running_desk(home, SMALL_DESK_RESTORED="backup of 07:45") as desk:
        run = desk.until_up().run
        with psycopg.connect(run.database_url) as connection:
            first = connection.execute("SELECT type FROM log.readable")
            assert first.fetchall() == [("log.restored",)]

    begun = desk.said.index("begins after position 0")
    assert begun < desk.said.index("intake │")


@pytest.mark.parametrize("signal", [SIGINT, SIGTERM, SIGHUP])
def test_one_signal_stops_all_of_it(home: Path, signal: Signals) -> None:
    with running_desk(home) as desk:
        children = family(desk.until_up().pid)

        desk.send(signal)

        assert desk.ended() == 0
        assert all_gone(children)
        assert not (home / "run.json").exists()
        assert "database system is shut down" in servers_log(home)
        assert "database system" not in desk.said


def test_a_signal_during_the_start_stops_it_too(home: Path) -> None:
    with running_desk(home, SMALL_DESK_HANGS="projections") as desk:
        desk.until("NATS is ready")
        children = family(desk.pid)

        desk.send(SIGINT)

        assert desk.ended() == 0
        assert all_gone(children)
        assert "Permanence is up" not in desk.said


def test_a_second_signal_does_not_wait_for_who_will_not_stop(home: Path) -> None:
    with running_desk(home) as desk:
        run = desk.until_up().run
        postgres = psutil.Process(run.pids["postgres"])
        with psycopg.connect(run.database_url):
            postgres.send_signal(SIGSTOP)
            desk.send(SIGINT)
            desk.until("Stopping")
            desk.send(SIGINT)
            assert desk.ended() == 0


@pytest.mark.parametrize(
    ("name", "back"),
    [
        ("postgres", "ready to accept connections"),
        ("nats", "Server is ready"),
        ("intake", "serving"),
    ],
)
def test_what_is_killed_with_9_comes_back(home: Path, name: str, back: str) -> None:
    with running_desk(home) as desk:
        before = desk.until_up().run

        psutil.Process(before.pids[name]).kill()
        desk.until(f"{name} │ was ended by SIGKILL")
        if name == "intake":
            desk.until(f"{name} │ .*{back}")
        else:
            until(lambda: servers_log(home).count(back) > 1, f"{name} is back")

        after = desk.run
        assert after.pids[name] != before.pids[name]
        assert json.loads(ask(after.intake_url))
        with psycopg.connect(after.database_url) as connection:
            connection.execute("SELECT 1")


def test_a_supervisor_killed_with_9_takes_all_along_and_is_started_again(
    home: Path,
) -> None:
    with running_desk(home) as desk:
        children = family(desk.until_up().pid)
        desk.send(SIGKILL)
        desk.ended()

        assert all_gone(children)
        assert (home / "run.json").exists()

    with running_desk(home) as desk:
        desk.until_up()


def test_a_start_right_after_the_kill_waits_for_what_is_left(home: Path) -> None:
    with running_desk(home) as desk:
        run = desk.until_up().run
        with psycopg.connect(run.database_url):  # which fast shutdown must break
            desk.send(SIGKILL)
            with running_desk(home) as second:
                second.until_up()
                assert second.run.pids["postgres"] != run.pids["postgres"]
        desk.ended()


def test_down_stops_it_from_another_terminal(home: Path) -> None:
    with running_desk(home) as desk:
        children = family(desk.until_up().pid)

        assert down(home) == f"The desk in {home} has stopped."

        assert desk.ended() == 0
        assert all_gone(children)
        assert down(home) == f"No desk runs in {home}."


def test_nobody_reads_the_terminal_any_more_and_it_goes_on(home: Path) -> None:
    with running_desk(home) as desk:
        run = desk.until_up().run
        desk.close_terminal()

        intake = psutil.Process(run.pids["intake"])
        intake.kill()
        psutil.wait_procs([intake], timeout=SECONDS)

        assert psutil.pid_exists(desk.pid)
        assert down(home) == f"The desk in {home} has stopped."


def test_a_terminal_that_is_stopped_stops_nothing(home: Path) -> None:
    with running_desk(home) as desk:
        desk.until_up()  # and from here on nobody reads: the pipe holds 64 KB

        for _ in range(3):
            assert json.loads(ask(desk.run.intake_url, "/say/100000"))
        assert down(home) == f"The desk in {home} has stopped."
