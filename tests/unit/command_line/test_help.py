"""What `--help` shows is what was written: nothing in it is taken for markup."""

from collections.abc import Iterator
from typing import Any

import pytest
from rich.text import Text
from typer.main import get_command

from cli.app import command_line


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for called, part in getattr(command, "commands", {}).items():
        yield from helps(part, f"{name} {called}")


HELPS = dict(helps(get_command(command_line()), "permanence"))


@pytest.mark.parametrize("name", HELPS)
def test_nothing_in_a_help_is_lost_as_markup(name: str) -> None:
    assert Text.from_markup(HELPS[name]).plain == HELPS[name]
