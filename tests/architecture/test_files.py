"""How every file of the house is: short, about one thing it says first, well named."""

import ast
from pathlib import Path

import pytest

from tests.support.compose import ROOT

ROOMS = ("services", "shared", "cli", "standalone", "demo", "tests", "docs", "bench")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
CODE = [path for path in FILES if path.relative_to(ROOT).parts[0] in ROOMS[:5]]
LINES_MAX = 450
FUNCTION_LINES_MAX = 80
CASE_LINES_MAX = 5
SAY_NOTHING = {
    "base",
    "common",
    "helper",
    "helpers",
    "lib",
    "manager",
    "managers",
    "misc",
    "models",
    "tools",
    "util",
    "utils",
}
"""Names under which anything may be put, and sooner or later is."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_file = pytest.mark.parametrize("path", FILES, ids=named)


@every_file
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


@every_file
def test_the_first_line_says_what_the_file_is_for(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]

    assert first.startswith('"""'), first
    assert first.rstrip('"').endswith((".", "!", "?")), "one whole sentence"


@every_file
def test_a_name_says_what_is_in_it(path: Path) -> None:
    assert SAY_NOTHING.isdisjoint(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", CODE, ids=named)
def test_a_function_is_read_at_one_glance(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    too_long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
        and not _is_table(node)
    ]

    assert too_long == []


def _is_table(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a function is one `match` whose cases are short, as for all events.

    Its reader looks up one case, and does not read it from beginning to end.
    """
    last = node.body[-1]
    return isinstance(last, ast.Match) and all(
        (case.body[-1].end_lineno or 0) - case.body[0].lineno < CASE_LINES_MAX
        for case in last.cases
    )


@pytest.mark.parametrize("folder", sorted({path.parent for path in CODE}), ids=named)
def test_every_room_of_code_is_a_package_that_says_what_it_is(folder: Path) -> None:
    assert (folder / "__init__.py").is_file()
