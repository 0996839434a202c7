"""`permanence demo`: a day at a service desk is played, seen and counted."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo.play import SATISFACTION, TABLE
from demo.programme import PROGRAMME
from tests.support.folders import reachable_folder

DEMO = """
import demo.desk
import standalone.ports
from cli.app import main
from tests.support.ports import reserved_port
demo.desk.free_port = standalone.ports.free_port = reserved_port
main()
"""
"""The command with ports that no other test is given meanwhile."""


@pytest.mark.desks
def test_the_whole_day_is_seen_and_nothing_of_it_stays_behind() -> None:
    with reachable_folder() as folder:
        home = folder / "demo"
        played = subprocess.run(
            [sys.executable, "-c", DEMO, "demo", "--home", home],
            capture_output=True,
            text=True,
            check=False,
        )

        # The last line says what failed: it is the first that a run shows of it.
        *_, why = ["", *played.stderr.splitlines()]
        told = "\n".join((why, played.stdout, played.stderr, said(home)))
        assert played.returncode == 0, told
        for beat in PROGRAMME:
            assert f"seen {beat.number:>2} " in played.stdout
        for name in (*SATISFACTION, *(figure.name for figure in TABLE)):
            assert name in played.stdout
        assert "Traceback" not in said(home)
        # Not a terminal: it ended, and so did its servers.
        assert not list(home.glob("postgres/**/postmaster.pid"))


def said(home: Path) -> str:
    """Return what the services said."""
    log = home / "demo.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""
