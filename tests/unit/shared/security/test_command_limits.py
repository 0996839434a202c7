"""Every command says how it is compared with the limits of its sender."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from shared.domain import commands as package
from shared.domain.commands.incident import CommandBody
from shared.security.command_limits import (
    ABOUT_NO_RECORD,
    COMPARED_AT_RECORDS,
    COMPARED_BY_RULES,
)

COMPARED: tuple[type[Any], ...] = (
    *get_args(COMPARED_AT_RECORDS),
    *get_args(COMPARED_BY_RULES),
    ABOUT_NO_RECORD,
)


def commands(kind: type[CommandBody] = CommandBody) -> Iterator[type[CommandBody]]:
    """Yield every kind of command that is sent over NATS: those with a verb."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    for each in kind.__subclasses__():
        if hasattr(each, "verb"):
            yield each
        yield from commands(each)


def name_of(kind: Any) -> str:
    """Return the name of a kind of command."""
    return str(kind.__name__)


@pytest.mark.parametrize("kind", sorted({*commands()}, key=name_of), ids=name_of)
def test_each_command_is_compared_with_the_limits_in_one_way(
    kind: type[CommandBody],
) -> None:
    assert COMPARED.count(kind) == 1
