"""A run is looked at again only where a busy machine may have failed it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg_pool import PoolTimeout

from tests.gate.chance import AGAIN_MAX, Failure, by_chance
from tests.gate.failures import waited_in_vain
from tests.support.compose import ROOT
from tests.support.patience import OutOfPatience

WAITED = Failure("tests/e2e/test_x.py::test_y", "call", "not in 120 s: it is up", True)


@pytest.mark.parametrize(
    ("test", "phase", "waited", "again"),
    [
        ("tests/integration/intake/test_x.py::test_y[a::b]", "call", True, True),
        ("tests/e2e/test_x.py::test_y", "call", True, True),
        ("tests/e2e/test_x.py::test_y", "call", False, False),
        ("tests/e2e/test_x.py::test_y", "setup", True, False),
        ("tests/e2e/test_x.py::test_y", "teardown", True, False),
        ("tests/e2e/test_x.py", "collect", True, False),
        ("tests/e2e/test_x.py::test_y", "???", True, False),  # its worker crashed
        ("tests/faults/test_x.py::test_y", "call", True, False),
        ("tests/attacks/test_x.py::test_y", "call", True, False),
        ("tests/property/test_x.py::test_y", "call", True, False),
        ("tests/unit/test_x.py::test_y", "call", True, False),
        ("tests/e2e_else/test_x.py::test_y", "call", True, False),
    ],
)
def test_only_a_call_with_servers_that_waited_in_vain_fails_by_chance(
    test: str, phase: str, waited: bool, again: bool
) -> None:
    failure = Failure(test, phase, "why", waited)

    assert by_chance([failure]) is again
    assert by_chance([WAITED, failure]) is again


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (OutOfPatience("not in 120 s"), True),
        (ConnectionResetError(), True),
        (httpx.ReadTimeout("slow"), True),
        (psycopg.OperationalError("the connection is closed"), True),
        (psycopg.errors.AdminShutdown("57P01"), True),
        (psycopg.errors.DeadlockDetected("40P01"), False),
        (psycopg.errors.LockNotAvailable("55P03"), False),
        (PoolTimeout("none left"), False),
        (httpx.UnsupportedProtocol("no scheme"), False),
        (AssertionError("1 == 2"), False),
        (TimeoutError(), False),
    ],
    ids=repr,
)
def test_only_patience_and_lost_connections_wait_in_vain(
    error: Exception, again: bool
) -> None:
    assert waited_in_vain(error) is again


def test_no_failure_and_too_many_are_not_by_chance() -> None:
    assert not by_chance([])
    assert by_chance([WAITED] * AGAIN_MAX)
    assert not by_chance([WAITED] * (AGAIN_MAX + 1))


_HEAD = """
import os, pathlib, pytest
from tests.support.patience import OutOfPatience
first = pathlib.Path(os.environ["SEEN"])

def wait(where=first):
    if not where.exists():
        where.touch()
        raise OutOfPatience("not in 120 s: it is up")
"""
_ALWAYS = "def test_it():\n    raise OutOfPatience('not in 120 s')\n"
_ONCE = "def test_it():\n    wait()\n"
_WRONG_ONCE = "def test_it():\n    first.exists() or [first.touch(), 1 / 0]\n"
_TEARDOWN = """
@pytest.fixture
def desk():
    yield
    wait()

def test_it(desk): pass
"""
_CRASH = "def test_it():\n    first.exists() or [first.touch(), os._exit(1)]\n"
_THREE = """
@pytest.mark.parametrize("n", range(3))
def test_it(n):
    wait(first.with_name(str(n)))
"""


_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": str(ROOT),
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # it takes longer to load them than to run
    "PYTEST_ADDOPTS": "-p xdist",
}


@pytest.mark.parametrize(
    ("body", "status", "lines"),
    [
        (_ONCE, 0, ["UNSTEADY tests/e2e/test_x.py::test_it : "]),
        (_ALWAYS, 1, ["Once more, alone: tests/e2e/test_x.py"]),
        (_WRONG_ONCE, 1, ["ZeroDivisionError"]),
        (_TEARDOWN, 1, ["ERROR tests/e2e/test_x.py::test_it"]),
        (_CRASH, 1, ["crashed"]),
        (_THREE, 1, ["3 failed"]),
    ],
    ids=["once", "always", "wrong once", "teardown", "crash", "three"],
)
def test_a_run_is_green_only_if_what_waited_once_passes_alone(
    tmp_path: Path, body: str, status: int, lines: Sequence[str]
) -> None:
    file = tmp_path / "tests" / "e2e" / "test_x.py"
    file.parent.mkdir(parents=True)
    file.write_text(_HEAD + body, encoding="utf-8")
    workers = "-n1" if body in (_CRASH, _ONCE) else "-n0"  # which is faster

    done = subprocess.run(
        [sys.executable, "-m", "tests.gate", "-q", workers, f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env=_ENVIRONMENT | {"SEEN": f"{file}.seen"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stdout + done.stderr
    for line in lines:
        assert line in done.stdout
    assert ("UNSTEADY" in done.stdout) is (status == 0)
