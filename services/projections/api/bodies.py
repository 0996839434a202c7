"""Bodies of requests: bounded while they arrive, then read as JSON."""

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from services.projections.api.limits import COMMAND_BYTES_MAX, COMMAND_DEPTH_MAX
from shared.problem import Problem


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Return the body; `Problem` 413 as soon as it is known to be too large."""
    too_large = Problem(
        413, f"the body has more than {bytes_max} bytes: send less", code="too_large"
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > bytes_max:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > bytes_max:
                raise too_large
            parts.append(part)
    except ClientDisconnect as error:
        raise Problem(400, "the body ended before its end: send it again") from error
    return b"".join(parts)


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a command; an empty body is an empty object.

    `Problem` 400 for no JSON or too deep a one, 413, 415, 422 for JSON of another kind.
    """
    body = await read_body(request, COMMAND_BYTES_MAX)
    if not body:
        return {}
    _require_json(request)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error}", code="not_json") from error
    if not isinstance(document, dict):
        raise Problem(
            422,
            "the body is not an object: send `{…}`",
            errors=[{"loc": ["body"], "msg": "not an object", "type": "dict_type"}],
        )
    if _deeper(document, COMMAND_DEPTH_MAX):
        raise Problem(
            400,
            f"the body nests deeper than {COMMAND_DEPTH_MAX} levels",
            code="too_deep",
        )
    return document


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415,
            f"the body is {kind}: send it as `Content-Type: application/json`",
            code="not_json",
        )


def _deeper(document: object, levels: int) -> bool:
    layer: list[object] = [document]
    for _ in range(levels):
        layer = [child for node in layer for child in _children(node)]
        if not layer:
            return False
    return True


def _children(node: object) -> Iterable[object]:
    match node:
        case dict():
            return node.values()
        case list():
            return node
        case _:
            return ()
