"""From the bytes of a body to a document: limits and form, before anything is done."""

from typing import Any

import orjson

from shared.problem import Problem

BODY_BYTES_MAX = 512 * 1024
DEPTH_MAX = 32
ARRAY_MAX = 1_000


def read_json(body: bytes) -> Any:  # noqa: ANN401 # a JSON document may be anything
    """Return the JSON document in `body`; `Problem` 400 or 413 where it is none."""
    if len(body) > BODY_BYTES_MAX:
        raise Problem(
            413, f"the body has {len(body)} bytes; at most {BODY_BYTES_MAX}: send less"
        )
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error}", code="not_json") from error
    # Counting brackets is a cheap bound: few of them cannot nest deeply.
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _deeper(document, DEPTH_MAX):
        raise Problem(
            400, f"the body nests deeper than {DEPTH_MAX} levels", code="too_deep"
        )
    return document


def elements(document: object) -> list[object]:
    """Return the events of a body that is one event or an array of them."""
    if not isinstance(document, list):
        return [document]
    if len(document) > ARRAY_MAX:
        raise Problem(
            413, f"{len(document)} events in one array; at most {ARRAY_MAX}: split it"
        )
    if not document:
        raise Problem(422, "the array is empty: send at least one event")
    return document


def _deeper(document: object, levels: int) -> bool:
    layer = [document]
    for _ in range(levels + 1):
        layer = [child for node in layer for child in _children(node)]
        if not layer:
            return False
    return True


def _children(node: object) -> list[object]:
    match node:
        case dict():
            return list(node.values())
        case list():
            return node
        case _:
            return []
