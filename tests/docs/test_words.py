"""Plain English in pages, docstrings, comments and messages, by rules in Vale's format.

Vale itself is not part of `make check`: its package on PyPI downloads the program from
elsewhere when it first runs.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from tests.docs.pages import ROOT, Page, pages

RULES = ROOT / "docs" / "styles" / "Permanence" / "Words.yml"
PACKAGES = ("services", "shared", "cli", "standalone", "demo", "bench", "docs")
HISTORY = re.compile(r"docs/adr/00(?:[0-3]\d|4[0-3])-")
"""Decisions that were accepted stay as they were written."""
FOR_READERS = ("shared/i18n/", "services/projections/timeline/")
"""Words for users and agents are reviewed with their translations."""


@dataclass(frozen=True)
class Rule:
    """What not to write, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str
    message: str

    def findings(self, text: str) -> Iterator[str]:
        """Yield a message for each place where the rule is broken."""
        for found in self.pattern.finditer(text):
            yield self.message % (self.instead, " ".join(found[0].split()))


def rules() -> list[Rule]:
    style = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [
        Rule(re.compile(pattern, re.IGNORECASE), instead, style["message"])
        for pattern, instead in style["swap"].items()
    ]


ALL = rules()


def findings(text: str) -> list[str]:
    one_line = " ".join(re.sub(r"`[^`]*`", "`…`", text).split())
    return [each for rule in ALL for each in rule.findings(one_line)]


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, messages and comments, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and " " in str(node.value):
            yield node.lineno, str(node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_pages_are_in_plain_english() -> None:
    found = [
        f"{page.name}: {finding}"
        for page in pages()
        if not HISTORY.match(page.name)
        for finding in findings(_new_prose_of(page))
    ]

    assert found == []


def _new_prose_of(page: Page) -> str:
    """Return what is not yet released of the changes, and all of another page."""
    if page.name != "CHANGELOG.md":
        return page.prose
    return page.prose.partition("\n## [Unreleased]")[2].partition("\n## ")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_code_is_explained_in_plain_english(package: str) -> None:
    found = [
        f"{name}:{line}: {finding}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(FOR_READERS)
        for line, text in prose_of(path.read_text(encoding="utf-8"))
        for finding in findings(text)
    ]

    assert found == []


def test_the_rules_find_what_they_are_for() -> None:
    bad = (
        "this is no Grafana webhook",
        "where the log has it not",
        "what became of each of its signals",
        "an element that names itself not",
    )
    good = (
        "there is no incident INC-000001",
        "it is no longer open",
        "`held` is None if it was just applied",
    )

    assert all(findings(text) for text in bad)
    assert not any(findings(text) for text in good)
