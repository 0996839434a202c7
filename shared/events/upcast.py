"""Old shapes of events into today's: one small step a change, on raw JSON.

Keyed by (type, the shape's number `v`; absent means 1). Types are never renamed.
"""

from collections.abc import Callable, Mapping
from typing import Any

Document = dict[str, Any]
Step = Callable[[Document], Document]

STEPS: Mapping[tuple[str, int], Step] = {}
"""No event has changed its shape yet; `docs/how-to/change-an-event.md` says how."""


def upcast(
    type_: str, document: Document, steps: Mapping[tuple[str, int], Step] = STEPS
) -> Document:
    """Return `document` in the newest shape of its type, step by step."""
    shape = document.get("v", 1)
    while step := steps.get((type_, shape)):
        shape += 1
        document = {**step(document), "v": shape}
    return document
