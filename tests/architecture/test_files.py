"""How every file of the house is: short, about one thing it says first, well named."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.compose import ROOT

ROOMS = ("services", "shared", "cli", "standalone", "demo", "tests", "docs", "bench")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
CODE = [path for path in FILES if path.relative_to(ROOT).parts[0] in ROOMS[:5]]
LINES_MAX = 450
FUNCTION_LINES_MAX = 80
CASE_LINES_MAX = 5
SENTENCE = re.compile(r'""".*[.!?]"*')
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


def texts(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield the name of each file, from the root, and what is in it."""
    for path in files:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_a_query_looks_into_an_event_only_by_what_never_fails() -> None:
    """One event that is no JSON for PostgreSQL would fail it for everybody else."""
    found = [name for name, text in texts(CODE) if "convert_from(" in text]

    assert found == [], "write log.said(state, 'field') or log.said_at(state, 'field')"


def test_a_file_is_short() -> None:
    long = [name for name, text in texts(FILES) if len(text.splitlines()) > LINES_MAX]

    assert long == []


def test_the_first_line_says_what_the_file_is_for_in_one_whole_sentence() -> None:
    mute = [
        name
        for name, text in texts(FILES)
        if not SENTENCE.fullmatch(text.partition("\n")[0])
    ]

    assert mute == []


def test_a_name_says_what_is_in_it() -> None:
    empty = [
        path
        for path in FILES
        if not SAY_NOTHING.isdisjoint(path.relative_to(ROOT).with_suffix("").parts)
    ]

    assert empty == []


def test_a_function_is_read_at_one_glance() -> None:
    too_long = [
        f"{name}:{node.lineno} {node.name}"
        for name, text in texts(CODE)
        for node in ast.walk(ast.parse(text))
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


def test_every_room_of_code_is_a_package_that_says_what_it_is() -> None:
    rooms = {path.parent for path in CODE}

    assert [room for room in rooms if not (room / "__init__.py").is_file()] == []
