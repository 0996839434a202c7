"""Upcasters: convert old shapes of events to the current one, on raw JSON.

Each step is keyed by type and shape number (`v`; absent means 1). Types are never
renamed. New events are written with the number of the newest shape.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from shared.domain.events.administration import document_bytes

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
