"""From the bytes of a body to a document: limits and form, before anything is done."""

from typing import Any

from shared.bodies import document_in
from shared.problem import Problem

BODY_BYTES_MAX = 512 * 1024
DEPTH_MAX = 32
ARRAY_MAX = 1_000


def read_json(body: bytes) -> Any:  # noqa: ANN401 # a JSON document may be anything
    """Return the JSON document in `body`; `Problem` 400 or 413 where it is none."""
    if len(body) > BODY_BYTES_MAX:
        raise Problem(
            413,
            f"the body has {len(body)} bytes; at most {BODY_BYTES_MAX}: send less",
            code="too_large",
        )
    return document_in(body, DEPTH_MAX)


def elements(document: object) -> list[object]:
    """Return the events of a body that is one event or an array of them."""
    if not isinstance(document, list):
        return [document]
    if len(document) > ARRAY_MAX:
        raise Problem(
            413,
            f"{len(document)} events in one array; at most {ARRAY_MAX}: split it",
            code="too_large",
        )
    if not document:
        raise Problem(422, "the array is empty: send at least one event")
    return document
