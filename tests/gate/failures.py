"""A plugin of pytest that writes the failures of a run to a file, as lines of JSON."""

import json
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path

import httpx
import psycopg
import pytest
from nats import errors as nats_errors
from psycopg_pool import PoolTimeout

from tests.gate.chance import Failure
from tests.support.patience import OutOfPatience

OPTION = "--failures"
_WAITED = (
    OutOfPatience,
    ConnectionError,
    httpx.TimeoutException,
    httpx.NetworkError,
    nats_errors.ConnectionClosedError,
    nats_errors.NoServersError,
    nats_errors.StaleConnectionError,
    nats_errors.TimeoutError,
    nats_errors.UnexpectedEOF,
)
"""What patience and broken connections raise."""
_LOST = ("08", "57P0")
"""How the states of PostgreSQL begin that mean a lost connection."""
_MARK = "waited_in_vain"
"""The attribute of a report that goes with it from a worker to who collects them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, type=Path, help="where to write the failures of this run")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark the report of a test that waited in vain."""
    report = yield
    excinfo = call.excinfo
    setattr(report, _MARK, excinfo is not None and waited_in_vain(excinfo.value))
    return report


def waited_in_vain(error: BaseException) -> bool:
    """Say whether patience or a connection ended; a deadlock is a mistake of ours."""
    if isinstance(error, psycopg.OperationalError):
        state = error.sqlstate
        is_lost = state is None or state.startswith(_LOST)
        return is_lost and not isinstance(error, PoolTimeout)
    return isinstance(error, _WAITED)


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption(OPTION)
    if file and not hasattr(config, "workerinput"):  # workers report to this process
        file.write_text("", encoding="utf-8")
        config.pluginmanager.register(_Writer(file))


class _Writer:
    """Writes what fails, of tests and of collecting them."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            line = _first_line(report)
            waited = getattr(report, _MARK, False)
            self._write(Failure(report.nodeid, report.when or "", line, waited))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(Failure(report.nodeid, "collect", _first_line(report), False))

    def _write(self, failure: Failure) -> None:
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(failure)) + "\n")


def _first_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    said: str = crash.message if crash else str(report.longrepr)
    return next(iter(said.splitlines()), "")


def read(file: Path) -> Sequence[Failure]:
    """Return the failures that a run has written."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Failure(**json.loads(line)) for line in lines]
