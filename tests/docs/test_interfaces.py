"""The AsyncAPI and OpenAPI documents hold all there is, and are whole in themselves."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from docs.generate import asyncapi, intake_openapi, openapi
from docs.generate.pages import Made
from services.intake.commands.subscriber import OWNED
from shared.domain import commands
from shared.domain.commands.parked_event import AGGREGATES
from shared.domain.commands.parked_event import BODIES as OF_PARKED_EVENTS
from shared.domain.events import EVENT_TYPES
from shared.messaging import subjects

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    document: Document = json.loads(asyncapi.page())
    return document


def test_every_command_and_every_event_has_its_subject(document: Document) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}

    assert addresses == {
        subjects.SIGNALS,
        *(
            subjects.command(aggregate, verb)
            for aggregate, bodies in OWNED.items()
            for verb in bodies
        ),
        *(subjects.command(kind.aggregate, kind.verb) for kind in _addressed()),
        subjects.command("contact", "report"),
        *(
            subjects.command(aggregate, verb)
            for aggregate in AGGREGATES.values()
            for verb in OF_PARKED_EVENTS
        ),
        *(subjects.event(type_) for type_ in EVENT_TYPES),
    }


def _addressed() -> Iterator[Any]:
    """Yield the body of every command that names its aggregate."""
    for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        for body in vars(importlib.import_module(module.name)).values():
            if hasattr(body, "aggregate") and hasattr(body, "verb"):
                yield body


def test_every_command_has_its_path() -> None:
    paths = openapi.described()["paths"]

    assert {
        "/v1/incidents",
        "/v1/problems",
        "/v1/changes",
        *(
            f"/v1/{aggregate}s/{{ref}}/{verb}"
            for aggregate, bodies in OWNED.items()
            for verb in bodies
            if verb not in {"open", "identify", "request"}
        ),
    } <= {path for path, methods in paths.items() if "post" in methods}


def test_every_door_of_intake_is_described_and_no_other() -> None:
    assert set(intake_openapi.taken()) == set(intake_openapi.DOORS)


def test_what_may_come_again_is_told_when() -> None:
    for path, methods in intake_openapi.described()["paths"].items():
        for method, operation in methods.items():
            for status in {"429", "503"} & set(operation["responses"]):
                headers = operation["responses"][status]["headers"]
                assert headers["Retry-After"]["required"], (method, path)


@pytest.mark.parametrize(
    "made",
    [asyncapi, intake_openapi, openapi],
    ids=["asyncapi", "intake", "openapi"],
)
def test_every_reference_leads_somewhere(made: Made) -> None:
    document = json.loads(made.page())
    references = list(_references(document))

    assert len(references) > 20
    for reference in references:
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[unquote(step)]


def test_components_have_names_that_the_standard_allows(document: Document) -> None:
    names = [name for part in document["components"].values() for name in part]

    assert not [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)]


def _references(part: object) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in part.values():
                yield from _references(value)
        case list():
            for value in part:
                yield from _references(value)
        case _:
            pass
