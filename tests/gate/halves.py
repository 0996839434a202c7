"""The two halves of `make test`: rooms, and desks, which start processes of services.

A test is in desks if it, or a fixture that it asks for, reaches something that starts
a service, a command or a browser as a process (`STARTERS`); else by a mark of its own.
Whatever is started all the same in a test of rooms fails it, except in the few with the
mark `smoke`.
"""

import subprocess
from collections.abc import Generator, Iterator, Sequence
from functools import cache
from inspect import unwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from tests.support.servers.service import Service

DESKS, SMOKE = "desks", "smoke"
STARTERS = frozenset(
    {
        "tests.support.desks.supervised.RunningDesk",
        "tests.support.servers.browser.running_browser",
        "tests.support.servers.forked_commands.forked_commands",
        "tests.support.servers.service.Service",
    }
)
"""What starts such a process: functions and classes, by their full names."""
_SERVICES = ("intake", "sla_watcher", "escalation", "projections")
PROGRAMS = (
    *(f"-m services.{name}" for name in _SERVICES),
    "-m services up",
    "-m services demo",
    "-m tests.support.desks.small_desk",
    "-m tests.support.servers.forked_commands",
    "-m tests.support.servers.forked_services",
    "cli.js run-driver",  # Playwright's, which starts the browser
)
"""The same as parts of command lines, whole words."""


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Guard(config))


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what is in desks."""
    for item in items:
        if any(map(starts_processes, _functions_of(item))):
            item.add_marker(DESKS)


def _functions_of(item: pytest.Item) -> Iterator[object]:
    """Yield the function of a test, and those of the fixtures that it asks for."""
    if isinstance(item, pytest.Function):
        yield item.function
        for fixtures in item._fixtureinfo.name2fixturedefs.values():
            for fixture in fixtures:
                yield fixture.func


@cache
def starts_processes(function: object) -> bool:
    """Tell whether a function of the tests reaches one of `STARTERS` by its names."""
    seen: set[object] = set()
    waiting = [function]
    while waiting:
        each = unwrap(waiting.pop())  # type: ignore[arg-type] # a class, too
        if each not in seen:
            seen.add(each)
            if f"{each.__module__}.{each.__qualname__}" in STARTERS:
                return True
            waiting += _reached(each)
    return False


@cache
def _reached(value: object) -> Sequence[object]:
    """Return what of the tests a function names, or a class in its methods."""
    found: list[object] = []
    match value:
        case FunctionType():
            names, held = _names(value.__code__), value.__globals__
            found = [held.get(name) for name in names]
            modules = [each for each in found if isinstance(each, ModuleType)]
            found += [vars(each).get(name) for each in modules for name in names]
        case type():
            for each in vars(value).values():
                method = getattr(each, "fget", None) or getattr(each, "__func__", each)
                found.append(method)
        case _:
            pass
    return [each for each in found if _is_of_tests(each)]


def _names(code: CodeType) -> set[str]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _is_of_tests(value: object) -> bool:
    """Tell whether it is a function or a class of the tests, decorated or not."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str) or not module.startswith("tests."):
        return False
    return isinstance(value, FunctionType | type) or hasattr(value, "__wrapped__")


class _Guard:
    """Refuses processes of services while a test of rooms and its fixtures run."""

    def __init__(self, config: pytest.Config) -> None:
        self._running: pytest.Item | None = None
        patched = pytest.MonkeyPatch()
        config.add_cleanup(patched.undo)
        start_process, start_service = subprocess.Popen.__init__, Service.start

        def process(popen: Any, args: Any, *more: Any, **given: Any) -> None:
            self._demand(args)
            start_process(popen, args, *more, **given)

        def service(given: Service) -> Service:  # a fork may be no process of ours
            self._demand(given.command)
            return start_service(given)

        patched.setattr(subprocess.Popen, "__init__", process)
        patched.setattr(Service, "start", service)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        self._running = item
        try:
            return (yield)
        finally:
            self._running = None

    def _demand(self, args: object) -> None:
        item = self._running
        if item is not None and is_service(args) and not _may_start(item):
            pytest.fail(
                f"{item.nodeid} is in rooms and starts {args}: mark it `{DESKS}`, or "
                f"name what starts it in STARTERS of {__name__}"
            )


def _may_start(item: pytest.Item) -> bool:
    return any(mark.name in (DESKS, SMOKE) for mark in item.iter_markers())


def is_service(args: object) -> bool:
    """Tell whether a command line starts a service, a desk, a command or a browser."""
    words = args if isinstance(args, list | tuple) else [args]
    line = f"{' '.join(map(str, words))} "
    return any(f"{program} " in line for program in PROGRAMS)
