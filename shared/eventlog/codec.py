"""Encodes and decodes events as stored: UTF-8 JSON, personal fields encrypted.

Absent and null mean the same: a field that is None is not written.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, cast, get_args, get_origin, get_type_hints

import orjson
from pydantic import ValidationError

from shared.domain.events import EVENT_TYPES, AnyEvent
from shared.domain.events.event import FORGOTTEN, Event, Personal
from shared.domain.events.upcasters import NewerShape, NoDocument, newest, upcast
from shared.vault.vault import Vault, VaultError


class UnknownEvent(Exception):
    """A type or shape that this version does not know: upgrade readers before writers.

    Or the event is damaged: not JSON, or without the fields of its type.
    """


def encode(vault: Vault, stream: str, version: int, event: Event) -> bytes:
    """Return the stored form of `event` at `version` of `stream`.

    Raises ValueError if it has personal text but does not say whose it is.
    """
    document = event.model_dump(mode="json", exclude_none=True)
    shape = newest(document["type"])
    if shape > 1:
        document["v"] = shape
    for field in personal_fields(type(event)):
        value = document.get(field)
        if value is None:
            continue
        if event.whose is None:
            raise ValueError(f"{document['type']}.{field} is personal: say whose it is")
        place = _place(stream, version, field)
        document[field] = {
            "sealed": vault.seal(event.whose, orjson.dumps(value), place)
        }
    return orjson.dumps(document)


def decode(
    vault: Vault | None, stream: str, version: int, type_: str, state: bytes
) -> AnyEvent:
    """Return the event stored as `state`, upcast to the current shape.

    Personal fields with a destroyed key become `[forgotten]`, label maps become empty;
    so do all of them without a vault.
    """
    kind = EVENT_TYPES.get(type_)
    if kind is None:
        raise UnknownEvent(f"{type_} at version {version} of {stream}")
    try:
        document = upcast(type_, orjson.loads(state))
    except (NewerShape, NoDocument, orjson.JSONDecodeError) as error:
        raise UnknownEvent(f"{error} at version {version} of {stream}") from error
    for field, blank in personal_fields(kind).items():
        value = document.get(field)
        if value is not None:
            place = _place(stream, version, field)
            document[field] = (
                blank if vault is None else _opened(vault, value, place, blank)
            )
    try:
        return cast("AnyEvent", kind.__pydantic_validator__.validate_python(document))
    except ValidationError as error:
        places = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise UnknownEvent(
            f"{type_} with a wrong or missing {places} at version {version} of {stream}"
        ) from error


def _opened(vault: Vault, value: object, place: str, blank: object) -> object:
    match value:
        case {"sealed": str(sealed)}:
            words = vault.open(sealed, place)
            return blank if words is None else orjson.loads(words)
        case _:
            raise VaultError(f"the words at {place} are personal, but not sealed")


def _place(stream: str, version: int, field: str) -> str:
    return f"{stream}|{version}|{field}"


@cache
def personal_fields(kind: type[Event]) -> Mapping[str, str | dict[str, str]]:
    """Map the personal fields of an event class to their values once forgotten."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: FORGOTTEN if marked is str else {}
        for name, hint in hints.items()
        if (marked := _marked(hint)) is not None
    }


def _marked(hint: object) -> object | None:
    """Return the type that `Personal` marks in a hint, also inside `… | None`."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        if any(isinstance(mark, Personal) for mark in marks):
            return get_origin(inner) or cast("object", inner)
        return _marked(inner)
    return next(filter(None, map(_marked, get_args(hint))), None)
