"""Reads request bodies with limits on size, time, JSON depth and total memory.

Memory for the bodies of authenticated requests is limited in total and for each sender.
It is reserved for the declared size once the caller is known, so an unauthenticated
client cannot take any of it.

Some bodies have to be read before the caller is known: a key may be in the body, and
the form needs none. They share a small pool and have little time. If the pool is full,
the sender with the largest part is refused: a usual request, which is small and arrives
at once, is accepted regardless of what others hold.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.eventlog.batcher import Overloaded
from shared.http.problem_details import HttpError, located

COMMAND_BYTES_MAX = 64 * 1024
COMMAND_DEPTH_MAX = 16
"""The maximum depth of JSON that people send: a command, a contact, a report."""
BODY_SECONDS_MAX = 10.0
"""The timeout for receiving a complete body."""
FILE_SECONDS_MAX = 120.0
"""The timeout for a body with files, which a slow line takes longer to send."""
_Kind = TypeVar("_Kind", bound=BaseModel)
_BEGUN = "body_begun"
"""The key in a request's state of the part of its body that was read before."""


def require_json(request: Request) -> None:
    """Raise `HttpError` 415 if the `Content-Type` of the body is not JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise HttpError(
            415,
            f"the body is {kind}: send it as `Content-Type: application/json`",
            code="not_json",
        )


def _require_plain(request: Request) -> None:
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise HttpError(
            415,
            f"the body is compressed ({coding[:20]}): send it as it is, without "
            "`Content-Encoding`",
            code="compressed",
        )


async def read_body(
    request: Request, bytes_max: int, seconds: float = BODY_SECONDS_MAX
) -> bytes:
    """Return the whole body; `HttpError` 413 as soon as it is known to be too large.

    `HttpError` 415 if it is compressed, since 50 kB may then expand to 50 MB.
    `HttpError` 503 if it does not arrive in time: the sender should try again.
    """
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
    """Return the part of a body that was read before; raises if it cannot be read."""
    _require_plain(request)
    declared = request.headers.get("content-length", "0")
    if declared.isdigit():
        demand_size(int(declared), bytes_max)
    if hasattr(request, "_body"):  # it was read completely
        return bytearray(request._body)  # noqa: SLF001 # as `Request.body()` keeps it
    # Read from the scope: `request.state` is slower for a missing value.
    return bytearray(request.scope.get("state", {}).get(_BEGUN, b""))


async def next_part(request: Request) -> bytes | None:
    """Return the next part of a body; None after its end. Waits without a limit.

    Like `Request.stream()`, but without the cost of its generator.
    """
    if request._stream_consumed:  # noqa: SLF001 # as `Request.stream()` has it
        return None
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise HttpError(400, "the body ended before its end: send it again")
    request._stream_consumed = not message.get("more_body")  # noqa: SLF001 # likewise
    return bytes(message.get("body", b""))


def demand_size(size: int, bytes_max: int) -> None:
    """Raise `HttpError` 413 if a body is too large."""
    if size > bytes_max:
        raise HttpError(
            413,
            f"the body has more than {bytes_max} bytes: send less",
            code="too_large",
        )


def keep_body(request: Request, read: bytes, *, whole: bool = True) -> bytes:
    """Store the part of a body that was read for the next reader; return it."""
    if whole:
        request._body = read  # noqa: SLF001 # as `Request.body()` does, but bounded
    else:
        setattr(request.state, _BEGUN, read)
    return read


def slow_body(seconds: float) -> HttpError:
    """Return the error for a body that does not arrive in time."""
    return HttpError(
        503,
        f"the body did not come in {seconds:g} s; nothing was done: send it again",
        code="slow_body",
        retry_after=1,
    )


def document_in(body: bytes, depth_max: int) -> Any:  # noqa: ANN401 # a JSON document may be anything
    """Return the JSON document in `body`; `HttpError` 400 if malformed or deep."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(
            400, f"the body is not JSON: {error}", code="not_json"
        ) from error
    # Counting brackets gives a cheap upper bound of the depth.
    if body.count(b"{") + body.count(b"[") > depth_max and _deeper(document, depth_max):
        raise HttpError(
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

    `HttpError` 400 if it is not JSON or nested too deeply, 413, 415, and 422 for other
    JSON values.
    """
    return await read_larger_object(request, COMMAND_BYTES_MAX)


async def read_larger_object(request: Request, bytes_max: int) -> dict[str, Any]:
    """Return the JSON object of a command that has its own limit; see `read_object`."""
    body = await read_body(request, bytes_max)
    if not body:
        return {}
    require_json(request)
    document = document_in(body, COMMAND_DEPTH_MAX)
    if not isinstance(document, dict):
        raise HttpError(
            422,
            "the body is not an object: send `{…}`",
            code="invalid",
            errors=[{"loc": ["body"], "msg": "not an object", "type": "dict_type"}],
        )
    return document


def validated(kind: type[_Kind], body: object, what: str) -> _Kind:
    """Return the validated body; `HttpError` 422 names all errors in it."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        errors = located(error)
        named = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ")
            for one in errors
        )
        raise HttpError(
            422,
            f"the {what} is not well formed: {named}",
            code="invalid",
            errors=errors,
        ) from error


ROOM_BYTES_MAX = 64 * 1024 * 1024
"""Room for 128 of the largest bodies of signals, or 60,000 of the usual size."""
SHARES = 2
"""One holder may take at most 1/SHARES of the room: half of it."""


class BodyRoom:
    """Memory for bodies being processed; a request without a body takes none."""

    def __init__(self, bytes_max: int = ROOM_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._held: Counter[str] = Counter()
        self.bytes = 0

    @contextmanager
    def room_for(self, size: int, holder: str) -> Iterator[None]:
        """Reserve room for a body within this context; `Overloaded` if it is full."""
        self.take(size, holder)
        try:
            yield
        finally:
            self.give_back(size, holder)

    def take(self, size: int, holder: str) -> None:
        """Reserve room until it is given back; `Overloaded` if it is full."""
        if self.bytes + size > self._bytes_max:
            raise Overloaded(f"{self.bytes} bytes are in hand")
        if self._held[holder] + size > self._bytes_max // SHARES:
            raise Overloaded(f"{self._held[holder]} bytes of {holder} are in hand")
        self.bytes += size
        self._held[holder] += size

    def give_back(self, size: int, holder: str) -> None:
        """Release reserved room."""
        self.bytes -= size
        self._held[holder] -= size
        if not self._held[holder]:
            del self._held[holder]


def size_ahead(headers: Mapping[str, str], bytes_max: int) -> int:
    """Return how much room the body of a request may need at most."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        return min(int(declared[:19]), bytes_max)
    return bytes_max if "transfer-encoding" in headers else 0


POOL_BYTES_MAX = 4 * 1024 * 1024
BEGINNING_BYTES = 64 * 1024
"""How much of a body must arrive before the key is looked for."""
KEYLESS_SECONDS_MAX = 2.0
"""The timeout for the body of an unauthenticated sender."""

IsEnough = Callable[[bytes], bool]


@dataclass(eq=False)
class _Place:
    """One body in the pool; `limit` is None once it is read."""

    limit: asyncio.Timeout | None
    bytes: int = 0
    sent_away: bool = False


class KeylessBodies:
    """The pool of a process for bodies of unauthenticated senders."""

    def __init__(self, bytes_max: int = POOL_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._places: set[_Place] = set()
        self.bytes = 0

    @asynccontextmanager
    async def body(
        self,
        request: Request,
        bytes_max: int,
        *,
        seconds: float | None = None,
        enough: IsEnough | None = None,
    ) -> AsyncIterator[bytes]:
        """Yield a body, which keeps its place in the pool until this ends.

        Only about its first `BEGINNING_BYTES` if they are `enough`; `read_body` then
        reads the rest. Raises `Overloaded` or `HttpError`.
        """
        place = _Place(None)
        self._places.add(place)
        try:
            read = begun_body(request, bytes_max)
            yield await self._read(place, request, read, bytes_max, seconds, enough)
        finally:
            self._leave(place)

    async def _read(
        self,
        place: _Place,
        request: Request,
        read: bytearray,
        bytes_max: int,
        seconds: float | None,
        enough: IsEnough | None,
    ) -> bytes:
        seconds = seconds or KEYLESS_SECONDS_MAX
        try:
            async with asyncio.timeout(seconds) as place.limit:
                while (part := await next_part(request)) is not None:
                    demand_size(len(read) + len(part), bytes_max)
                    self._take(place, len(part))
                    before = len(read)
                    read += part
                    looks = before < BEGINNING_BYTES <= len(read)
                    if enough and looks and enough(bytes(read)):
                        return keep_body(request, bytes(read), whole=False)
        except TimeoutError as error:
            if place.sent_away:
                raise _full() from error
            raise slow_body(seconds) from error
        finally:
            place.limit = None
        return keep_body(request, bytes(read))

    def _take(self, place: _Place, size: int) -> None:
        """Count what arrived; refuse the largest body while the pool is too full."""
        if place.sent_away:
            raise _full()
        place.bytes += size
        self.bytes += size
        while self.bytes > self._bytes_max:
            largest = max(self._places, key=lambda each: each.bytes)
            if largest is place or largest.limit is None:
                raise _full()
            largest.sent_away = True
            if not largest.limit.expired():
                largest.limit.reschedule(asyncio.get_running_loop().time())
            self._leave(largest)

    def _leave(self, place: _Place) -> None:
        if place in self._places:
            self._places.remove(place)
            self.bytes -= place.bytes


def _full() -> Overloaded:
    return Overloaded("bodies of unknown senders fill their pool")
