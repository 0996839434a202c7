"""What a page names is there: commands, targets of make, settings, metrics' parts."""

import re
from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cli.app import command_line
from docs.generate.settings import SERVICES, variable
from standalone.settings import UpSettings
from tests.docs.pages import ROOT, Page, pages
from tests.support import compose

_WORDS = r"((?:[a-z]+(?:-[a-z]+)* ?)+)"
_COMMAND = re.compile(rf"(?:^\$ |`|services )permanence {_WORDS}", re.MULTILINE)
_IN_CONTAINER = re.compile(rf"run --rm (?:--no-TTY )?cli {_WORDS}")
_TARGET = re.compile(r"(?:^\$ |`)make ([a-z]+)", re.MULTILINE)
_VARIABLE = re.compile(r"\bPERMANENCE_[A-Z_]+\b")

written_by_hand = pytest.mark.parametrize(
    "page",
    [page for page in pages() if "<!-- Written by" not in page.text],
    ids=lambda page: page.name,
)


@written_by_hand
def test_a_command_that_is_named_exists(page: Page) -> None:
    named = (*_COMMAND.findall(page.text), *_IN_CONTAINER.findall(page.text))
    missing = [words for words in named if not _exists(words.split())]

    assert not missing, page.name


@written_by_hand
def test_a_target_of_make_that_is_named_exists(page: Page) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(_TARGET.findall(page.text))

    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)), page.name


@written_by_hand
def test_a_setting_that_is_named_exists(page: Page) -> None:
    known = set(_settings())

    assert set(_VARIABLE.findall(page.text)) <= known, page.name


def _exists(words: list[str]) -> bool:
    """Tell whether `words` begin with a command; what follows it are arguments."""
    command = get_command(command_line())
    for word in words:
        if not isinstance(command, TyperGroup):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return not isinstance(command, TyperGroup) or len(words) == 1


def _settings() -> Iterator[str]:
    for settings in (*SERVICES, UpSettings):
        yield from (variable(settings, name) for name in settings.model_fields)
    for file in (compose.FILE, compose.TLS_FILE):
        yield from _VARIABLE.findall(file.read_text(encoding="utf-8"))
