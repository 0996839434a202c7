"""How tests are: they assert, and wait for what happens, never for time to pass."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compose import ROOT

FILES = sorted((ROOT / "tests").rglob("*.py"))
LOOPS = (ast.For, ast.AsyncFor, ast.While)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_sleep_is_a_moment_between_two_looks(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    in_loops = {
        id(node)
        for loop in ast.walk(tree)
        if isinstance(loop, LOOPS)
        for node in _sleeps(loop)
    }
    blind = [
        node.lineno
        for node in _sleeps(tree)
        if id(node) not in in_loops and not _lets_others_run(node)
    ]

    assert blind == [], "poll with a deadline, or let the test move the clock"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name.startswith("test_")], ids=named
)
def test_a_test_asserts_something(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mute = [test.name for test in _tests(tree) if not _asserts(test)]

    assert mute == []


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
