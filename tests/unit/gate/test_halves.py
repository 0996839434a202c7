"""Which half a test is in follows from what it starts; no test of rooms starts any."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.gate.durations import order
from tests.gate.halves import STARTERS, is_service, starts_processes
from tests.support.compose import ROOT
from tests.support.desks import running
from tests.support.desks.running import Desk
from tests.support.servers.service import Service


def _directly(service: Service) -> None:
    Service.start(service)


@contextmanager
def _by_a_context(folder: Path) -> Iterator[Desk]:
    with running.running_desk(folder) as desk:
        yield desk


@cache
def _once() -> object:
    return _by_a_context


class _ByAMethod:
    @property
    def desk(self) -> object:
        return [lambda: _once()]  # noqa: PLW0108 # a function in a function


def _by_an_object() -> object:
    return _ByAMethod().desk


def _by_its_type_only(desk: Desk, service: Service) -> object:
    return desk, service


def _not_at_all() -> object:
    return running.POLICY, subprocess.run


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_directly, True),
        (_by_a_context, True),
        (_once, True),
        (_by_an_object, True),
        (_by_its_type_only, False),
        (_not_at_all, False),
    ],
)
def test_a_test_is_in_desks_if_its_code_reaches_what_starts_a_service(
    function: Callable[..., object], expected: bool
) -> None:
    assert starts_processes(function) is expected


@pytest.mark.parametrize("name", sorted(STARTERS))
def test_what_starts_a_service_is_still_called_so(name: str) -> None:
    module, _, starter = name.rpartition(".")

    assert callable(getattr(import_module(module), starter))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["/usr/bin/env", "A=b", "python3", "-m", "services.intake"], True),
        (("python3", "-m", "services", "up", "--json"), True),
        (["python3", "-m", "tests.support.desks.small_desk"], True),
        (["node", "/x/package/cli.js", "run-driver"], True),
        (["python3", "-m", "services", "token", "list"], False),
        (["python3", "-m", "services.projections.previews.renderer"], False),
        (["postgres", "-D", Path("data")], False),
    ],
)
def test_a_command_line_tells_a_service(
    command: Sequence[object], expected: bool
) -> None:
    assert is_service(command) is expected


_TESTS = """
import subprocess
import pytest

@pytest.fixture
def desk():
    subprocess.run(["/bin/true", "-m", "services.intake"], check=True)

def test_in_rooms(desk): pass

@pytest.mark.desks
def test_in_desks(desk): pass

@pytest.mark.smoke
def test_in_the_smoke(desk): pass
"""


def test_a_service_that_a_test_of_rooms_starts_fails_it(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(_TESTS, encoding="utf-8")
    plugins = ("-p", "tests.gate.halves", "-p", "no:cacheprovider")
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 error" in done.stdout, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "test_x.py::test_in_rooms is in rooms and starts" in done.stdout


def test_the_longest_come_first_and_who_shares_a_fixture_stays_together() -> None:
    kept = {"a/test_1.py": 5, "b/test_1.py": 4, "b/test_2.py": 3, "c/test_1.py": 6}
    groups = {file: file for file in ["a/test_1.py", "c/test_1.py", "d/test_new.py"]}
    groups |= dict.fromkeys(["b/test_1.py", "b/test_2.py", "b/test_new.py"], "b")

    assert order(groups, kept) == [
        "b/test_1.py",
        "b/test_2.py",
        "b/test_new.py",
        "c/test_1.py",
        "a/test_1.py",
        "d/test_new.py",
    ]
