"""How long each file of tests takes in a worker, kept from an earlier run.

The longest go first: begun last, one would keep the other workers waiting. Files that
share a fixture of their folder stay together, since it ends and begins again if a file
of another folder comes between. `make test DURATIONS=1` writes the table.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("durations.json")
OPTION = "--write-durations"
LEAST_SECONDS = 1
"""Shorter files are not in the table: in which order they come makes no difference."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help=f"write {TABLE.name}")


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if config.getoption(OPTION) and not is_worker:
        config.pluginmanager.register(_Clock())


@pytest.hookimpl(trylast=True)  # after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest."""
    files = {item: item.nodeid.partition("::")[0] for item in items}
    groups = {file: file for file in files.values()}
    for item, file in files.items():
        groups[file] = _folder_shared(item) or groups[file]
    turns = {file: turn for turn, file in enumerate(order(groups, _kept()))}
    items.sort(key=lambda item: turns[files[item]])


def _folder_shared(item: pytest.Item) -> str:
    """Return the folder whose files share a fixture of a test, "" if none do."""
    if not isinstance(item, pytest.Function):
        return ""
    fixtures = chain.from_iterable(item._fixtureinfo.name2fixturedefs.values())
    return next((each.baseid for each in fixtures if each.scope == "package"), "")


def order(groups: Mapping[str, str], kept: Mapping[str, float]) -> list[str]:
    """Return the files of these groups: the longest group first, and in it file."""
    together: dict[str, float] = defaultdict(float)
    for file, group in groups.items():
        together[group] += kept.get(file, 0)

    def turn(file: str) -> tuple[float, str, float, str]:
        return (-together[groups[file]], groups[file], -kept.get(file, 0), file)

    return sorted(groups, key=turn)


def _kept() -> dict[str, float]:
    kept: dict[str, float] = json.loads(TABLE.read_text(encoding="utf-8"))
    return kept


class _Clock:
    """Adds up what each phase of each test took, and writes it at the end."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        kept = _kept() | self._seconds
        TABLE.write_text(json.dumps(_table(kept), indent=1) + "\n", encoding="utf-8")


def _table(seconds: Mapping[str, float]) -> Mapping[str, int]:
    """Return whole seconds of the files that are there and count, longest first."""
    rounded = {file: round(each) for file, each in seconds.items()}
    files: Sequence[str] = sorted(rounded, key=lambda each: (-rounded[each], each))
    return {
        file: rounded[file]
        for file in files
        if rounded[file] >= LEAST_SECONDS and Path(file).exists()
    }
