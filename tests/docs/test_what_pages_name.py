"""What a page names is there: commands, targets of make, settings, metrics' parts."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

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


def test_a_command_that_is_named_exists() -> None:
    command = get_command(command_line())
    missing = [
        f"{page.name}: permanence {words}"
        for page in written_by_hand()
        for words in (*_COMMAND.findall(page.text), *_IN_CONTAINER.findall(page.text))
        if not _is_one(command, words.split())
    ]

    assert missing == []


def test_a_target_of_make_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert _unknown(_TARGET, re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) == []


def test_a_setting_that_is_named_exists() -> None:
    assert _unknown(_VARIABLE, _settings()) == []


def written_by_hand() -> Iterator[Page]:
    return (page for page in pages() if "<!-- Written by" not in page.text)


def _unknown(pattern: re.Pattern[str], known: Iterable[str]) -> list[str]:
    """Return what pages name by this pattern and is not known, each with its page."""
    there = set(known)
    return [
        f"{page.name}: {name}"
        for page in written_by_hand()
        for name in pattern.findall(page.text)
        if name not in there
    ]


def _is_one(command: Any, words: list[str]) -> bool:
    """Tell whether `words` begin with a command; what follows it are arguments."""
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
