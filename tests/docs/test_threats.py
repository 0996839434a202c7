"""What is said to hold against attackers names the test that attacks it."""

import re
from collections.abc import Iterator

import pytest

from shared.database.migrate import ROLES
from tests.docs.pages import ROOT, Page

MODEL = Page(ROOT / "docs" / "explanation" / "security.md")
PROMISES = Page(ROOT / "SECURITY.md")
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_SHOWN = "attacked in"
STRIDE = ["S", "T", "R", "I", "D", "E"]


def rows() -> Iterator[list[str]]:
    """Yield the rows of the tables that name attacks, cell by cell."""
    shown = False
    for line in MODEL.text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            shown = False
        elif cells[-1] == _SHOWN:
            shown = True
        elif shown and not cells[0].startswith("---"):
            yield cells


def promises() -> list[str]:
    """Return what SECURITY.md promises."""
    promised = PROMISES.text.partition("## What we promise")[2].partition("\n## ")[0]
    return re.split(r"^\* ", promised, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("page", [MODEL, PROMISES], ids=lambda page: page.name)
def test_an_attack_that_is_named_is_tried(page: Page) -> None:
    for file, name in _TEST.findall(page.text):
        assert (ROOT / file).is_file(), file
        written = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in written, f"{file}::{name}"


def test_every_door_and_every_role_has_its_attack() -> None:
    for cells in rows():
        assert _TEST.search(cells[-1]), cells[0]

    listed = {cells[0].strip("`") for cells in rows()}
    assert {*ROLES, "the owner"} <= listed


def test_every_kind_of_threat_is_thought_of() -> None:
    headers = re.findall(r"^\| (?:door|role) \|(.+)$", MODEL.text, re.MULTILINE)

    assert len(headers) == 2
    for header in headers:
        assert [name.strip() for name in header.strip("|").split("|")][:-1] == STRIDE
    assert all(all(cells) for cells in rows())


def test_every_file_of_attacks_is_named() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests" / "attacks").glob("test_*.py")
    }

    assert files <= {file for file, _ in _TEST.findall(MODEL.text)}


def test_nothing_is_promised_that_no_test_shows() -> None:
    assert promises()
    for promise in promises():
        assert _TEST.search(promise), promise
