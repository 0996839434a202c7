"""Where a command asks for words, there must be something to read."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.intake.policy.windows import Announce, Withdraw
from shared.domain import commands
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.commands.contact import Contact, command_of
from shared.domain.commands.incident import CommandBody, Open
from shared.domain.commands.quarantine import Discard

BLANK = ("", "  ", "\t", "\n", "\u00a0", "\u200b", "\ufeff \u2060", "\u3164", "\u2028")
WORDS = ("word", "😀", "é", "字", "?", "\u200bword")


def bodies(of: type[BaseModel] = CommandBody) -> Iterator[type[BaseModel]]:
    for module in iter_modules(commands.__path__, f"{commands.__name__}."):
        import_module(module.name)
    for kind in of.__subclasses__():
        yield kind
        yield from bodies(kind)


def texts() -> Iterator[Any]:
    """Yield the fields of all bodies that take words in free form."""
    annotated: Any = Annotated
    asked: tuple[type[BaseModel], ...] = (*bodies(), Discard, Announce, Withdraw)
    for body in asked:
        for name, field in body.model_fields.items():
            kind = annotated[field.annotation, "a text", *field.metadata]
            reader = TypeAdapter[Any](kind)
            if all(taken(reader, text) for text in ("Two words.", "12 !")):
                yield pytest.param(reader, id=f"{body.__name__}.{name}")


def taken(reader: TypeAdapter[Any], text: str) -> bool:
    try:
        reader.validate_python(text)
    except ValidationError:
        return False
    return True


TEXTS = tuple(texts())


def test_every_body_is_looked_at() -> None:
    named = {each.id for each in TEXTS}

    assert {
        "NoteSolution.note",
        "PublishWorkaround.text",
        "DiagnoseProblem.cause",
        "RequestChange.title",
        "Escalate.reason",
        "Report.words",
        "Contact.title",
        "Snooze.reason",
        "Discard.reason",
        "Announce.reason",
    } <= named


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_of_a_command_is_blank(text: TypeAdapter[Any]) -> None:
    assert [each for each in BLANK if taken(text, each)] == []
    assert [each for each in WORDS if not taken(text, each)] == []


@pytest.mark.parametrize(
    "before", ["\u200b\n", "\u3164 \u200b\n\n", "\u200b" * (TITLE_MAX + 1) + "x\n"]
)
def test_a_line_with_nothing_to_read_is_no_title(before: str) -> None:
    said = {"person": "lefevre", "channel": "phone", "words": f"{before}It burns"}

    command = command_of(Contact.model_validate(said))

    assert isinstance(command, Open)
    assert command.title == "It burns"
