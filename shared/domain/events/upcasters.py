"""Upcasters: convert old shapes of events to the current one, on raw JSON.

Each step is keyed by type and shape number (`v`; absent means 1). Types are never
renamed. New events are written with the number of the newest shape.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, get_args

from shared.domain.events import EVENT_TYPES
from shared.domain.events.administration import document_bytes
from shared.domain.events.event import Event

Document = dict[str, Any]
Step = Callable[[Document], Document]


def _policy_applied_1_to_2(old: Document) -> Document:
    """The event names its document by hash and size; old events also contain it."""
    body = document_bytes(old["document"])
    named = {"document_hash": sha256(body).hexdigest(), "document_size": len(body)}
    return {**old, **named}


STEPS: Mapping[tuple[str, int], Step] = {
    ("policy.applied", 1): _policy_applied_1_to_2,
}
"""How to add one: `docs/how-to/change-an-event.md`."""


class NewerShape(Exception):
    """An event written by a later version: upgrade the reader before the writer."""


class NoDocument(Exception):
    """What is stored is JSON, but no event: no object, or its shape has no number."""


def newest(type_: str, steps: Mapping[tuple[str, int], Step] = STEPS) -> int:
    """Return the number of the shape in which events of a type are written today."""
    shape = 1
    while (type_, shape) in steps:
        shape += 1
    return shape


def upcast(
    type_: str, document: Document, steps: Mapping[tuple[str, int], Step] = STEPS
) -> Document:
    """Return `document` in the newest shape of its type, step by step.

    Raises `NewerShape` if its shape is newer than those that this version knows, and
    `NoDocument` if it was damaged.
    """
    shape = document.get("v", 1) if isinstance(document, Mapping) else None
    if not isinstance(shape, int):
        raise NoDocument(f"{type_} without an object that has a shape")
    if shape > newest(type_, steps):
        raise NewerShape(f"{type_} in shape {shape}")
    while step := steps.get((type_, shape)):
        shape += 1
        document = {**step(document), "v": shape}
    return document


_OF_ANY_SHAPE = ("type", "at", "by")


def required_fields() -> Mapping[str, Sequence[str]]:
    """Return the names of the required fields of each event type.

    A required field can only be added together with an upcaster, so each is in what an
    earlier version writes, too. Of types with upcasters only the envelope is.
    """
    of_several_shapes = {type_ for type_, _ in STEPS}
    return {
        type_: _OF_ANY_SHAPE if type_ in of_several_shapes else ("type", *_fields(kind))
        for type_, kind in EVENT_TYPES.items()
    }


def _fields(kind: type[Event]) -> list[str]:
    """Return the required fields; one that may be None is not stored then."""
    return [
        name
        for name, field in kind.model_fields.items()
        if field.is_required() and type(None) not in get_args(field.annotation)
    ]
