"""How tests are: they assert, and wait for what happens, never for time to pass."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.compose import ROOT

FILES = sorted((ROOT / "tests").rglob("*.py"))
LOOPS = (ast.For, ast.AsyncFor, ast.While)
STARTING = ("exec", "fork", "popen", "posix_spawn", "spawn", "system")
"""How functions of `os` and `pty` begin that start a process."""
FORKING = {
    "tests/integration/escalation/channels/test_apprise.py",  # none is to start there
    "tests/support/servers/forked_commands.py",
    "tests/support/servers/forked_services.py",
}
"""The others fork, in a process that is started as others are."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield the name of each file of tests, from the root, and what it says."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(ROOT).as_posix(), ast.parse(text)


def test_a_sleep_is_a_moment_between_two_looks() -> None:
    blind = [f"{name}:{line}" for name, tree in trees() for line in _blind_sleeps(tree)]

    assert blind == [], "poll with a deadline, or let the test move the clock"


def test_a_test_asserts_something() -> None:
    mute = [
        f"{name}::{test.name}"
        for name, tree in trees()
        if Path(name).name.startswith("test_")
        for test in _tests(tree)
        if not _asserts(test)
    ]

    assert mute == []


def test_processes_are_started_where_the_halves_of_the_tests_see_it() -> None:
    """`tests/gate/halves.py` refuses services to tests of rooms: it asks `Popen`."""
    unseen = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if _starts_unseen(node)
    }

    assert unseen == FORKING


def _starts_unseen(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os" | "pty"), attr=name):
            return name.startswith(STARTING)
        case ast.Import(names=names):
            return any(each.name == "multiprocessing" for each in names)
        case ast.ImportFrom(module=module, names=names):
            starts = any(each.name.startswith(STARTING) for each in names)
            of_os = module in ("os", "pty") and starts
            return of_os or str(module).startswith("multiprocessing")
        case _:
            return False


def _blind_sleeps(tree: ast.Module) -> Iterator[int]:
    in_loops = {
        id(node)
        for loop in ast.walk(tree)
        if isinstance(loop, LOOPS)
        for node in _sleeps(loop)
    }
    for node in _sleeps(tree):
        if id(node) not in in_loops and not _lets_others_run(node):
            yield node.lineno


def _sleeps(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="sleep") | ast.Attribute(attr="sleep")):
                yield node
            case _:
                pass


def _lets_others_run(call: ast.Call) -> bool:
    match call.args:
        case [ast.Constant(value=0)]:
            return True
        case _:
            return False


def _tests(tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield node


def _asserts(test: Function) -> bool:
    """Tell whether a test asserts, expects an error, or calls something that may."""
    return any(
        isinstance(node, ast.Assert | ast.With | ast.AsyncWith)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await))
        for node in ast.walk(test)
    )
