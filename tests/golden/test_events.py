"""Every shape of an event that was ever written is read today, with all it said.

`<type>.<shape>.json` is one event in clear, as first written. Never change one: what is
in a log cannot be changed either.
"""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from shared.domain import events as package
from shared.domain.events import EVENT_TYPES, events
from shared.domain.events.event import Event
from shared.domain.events.upcasters import required_fields, upcast

FILES = sorted((Path(__file__).parent / "events").glob("*.json"))


def written(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def type_of(file: Path) -> str:
    return file.name.rsplit(".", 2)[0]


def test_every_type_of_event_has_its_first_shape_here() -> None:
    first = {type_of(file) for file in FILES if file.name.endswith(".1.json")}

    assert first == set(EVENT_TYPES)


def test_every_event_is_in_the_union_at_the_end_of_its_module() -> None:
    """Only what is in a union is read from the log; without it, nothing is."""
    defined = {
        kind
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for kind in vars(importlib.import_module(module.name)).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    }

    assert defined == set(EVENT_TYPES.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_database_takes_it_from_a_service_of_that_version(file: Path) -> None:
    required = required_fields()[type_of(file)]

    assert {"at", "by"} <= set(required) <= written(file).keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_read_and_loses_nothing(file: Path) -> None:
    document = upcast(type_of(file), written(file))
    event = events.validate_python(document)

    assert event.type == type_of(file)
    assert type(event) is EVENT_TYPES[event.type]
    read = event.model_dump(mode="json", exclude_none=True)
    read["v"] = document.setdefault("v", 1)  # of the stored form, not of the event
    assert read.items() >= document.items()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_field_of_a_newer_program_does_no_harm(file: Path) -> None:
    document = upcast(type_of(file), written(file))

    newer = events.validate_python({**document, "invented_later": [1]})

    assert newer == events.validate_python(document)
