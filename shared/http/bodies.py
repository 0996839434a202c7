"""Bodies of requests: bounded while they arrive, and in how deep their JSON nests."""

import asyncio
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.problem import Problem, located

COMMAND_BYTES_MAX = 64 * 1024
COMMAND_DEPTH_MAX = 16
"""Of the JSON that people send: a command, a contact, a report."""
BODY_SECONDS_MAX = 10.0
"""How long a body may take to come, whole."""
_Kind = TypeVar("_Kind", bound=BaseModel)
_BEGUN = "body_begun"
"""What of a body was read before, in the state of its request."""


def require_json(request: Request) -> None:
    """Raise `Problem` 415 where the body says that it is something else than JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415,
            f"the body is {kind}: send it as `Content-Type: application/json`",
            code="not_json",
        )


def _require_plain(request: Request) -> None:
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise Problem(
            415,
            f"the body is compressed ({coding[:20]}): send it as it is, without "
            "`Content-Encoding`",
            code="compressed",
        )


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Return the whole body; `Problem` 413 as soon as it is known to be too large.

    `Problem` 415 where it is compressed: 50 kB may then hold 50 MB. `Problem` 503 where
    it does not come: who sends it is to try again.
    """
    seconds = BODY_SECONDS_MAX
    read = begun_body(request, bytes_max)
    try:
        async with asyncio.timeout(seconds):
            while (part := await next_part(request)) is not None:
                read += part
                demand_size(len(read), bytes_max)
    except TimeoutError as error:
        raise slow_body(seconds) from error
    return keep_body(request, bytes(read))


def begun_body(request: Request, bytes_max: int) -> bytearray:
    """Return what was read of a body before; raises where it cannot be read at all."""
    _require_plain(request)
    declared = request.headers.get("content-length", "0")
    if declared.isdigit():
        demand_size(int(declared), bytes_max)
    if hasattr(request, "_body"):  # it was read to its end
        return bytearray(request._body)  # noqa: SLF001 # as `Request.body()` keeps it
    # Asked of the scope: `request.state` takes longer to say that it has none.
    return bytearray(request.scope.get("state", {}).get(_BEGUN, b""))


async def next_part(request: Request) -> bytes | None:
    """Return what arrives next of a body; None after its end. Waits for ever.

    As `Request.stream()`, which is slower by what its generator costs.
    """
    if request._stream_consumed:  # noqa: SLF001 # as `Request.stream()` has it
        return None
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise Problem(400, "the body ended before its end: send it again")
    request._stream_consumed = not message.get("more_body")  # noqa: SLF001 # likewise
    return bytes(message.get("body", b""))


def demand_size(size: int, bytes_max: int) -> None:
    """Raise `Problem` 413 where a body is too large."""
    if size > bytes_max:
        raise Problem(
            413,
            f"the body has more than {bytes_max} bytes: send less",
            code="too_large",
        )


def keep_body(request: Request, read: bytes, *, whole: bool = True) -> bytes:
    """Keep what was read of a body for the next reader; return it."""
    if whole:
        request._body = read  # noqa: SLF001 # as `Request.body()` does, but bounded
    else:
        setattr(request.state, _BEGUN, read)
    return read


def slow_body(seconds: float) -> Problem:
    """Return what the sender of a body is told that does not arrive in time."""
    return Problem(
        503,
        f"the body did not come in {seconds:g} s; nothing was done: send it again",
        code="slow_body",
        retry_after=1,
    )


def document_in(body: bytes, depth_max: int) -> Any:  # noqa: ANN401 # a JSON document may be anything
    """Return the JSON document in `body`; `Problem` 400 if malformed or deep."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error}", code="not_json") from error
    # Counting brackets is a cheap bound: few of them cannot nest deeply.
    if body.count(b"{") + body.count(b"[") > depth_max and _deeper(document, depth_max):
        raise Problem(
            400, f"the body nests deeper than {depth_max} levels", code="too_deep"
        )
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


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a command; an empty body is an empty object.

    `Problem` 400 for no JSON or too deep a one, 413, 415, 422 for JSON of another kind.
    """
    body = await read_body(request, COMMAND_BYTES_MAX)
    if not body:
        return {}
    require_json(request)
    document = document_in(body, COMMAND_DEPTH_MAX)
    if not isinstance(document, dict):
        raise Problem(
            422,
            "the body is not an object: send `{…}`",
            code="invalid",
            errors=[{"loc": ["body"], "msg": "not an object", "type": "dict_type"}],
        )
    return document


def validated(kind: type[_Kind], body: dict[str, Any], what: str) -> _Kind:
    """Return what a body says; `Problem` 422 names all that is wrong in it."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        errors = located(error)
        named = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ")
            for one in errors
        )
        raise Problem(
            422,
            f"the {what} is not well formed: {named}",
            code="invalid",
            errors=errors,
        ) from error
