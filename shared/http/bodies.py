"""Bodies of requests: bounded while they arrive, and in how deep their JSON nests.

How much memory the bodies of admitted requests may take, in all and for each sender.

Room is kept for what a request declares, once it is known whose it is: nobody without a
key can take any of it.

Bodies that have to be read before it is known who sends them, in a small pool.

A key may be in the body, and a form needs none. Such bodies share little memory and
have little time. If the pool is full, the sender with the largest part is refused: a
usual request, which is small and arrives at once, gets through whatever others hold.
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
"""Of the JSON that people send: a command, a contact, a report."""
BODY_SECONDS_MAX = 10.0
"""How long a body may take to come, whole."""
_Kind = TypeVar("_Kind", bound=BaseModel)
_BEGUN = "body_begun"
"""What of a body was read before, in the state of its request."""


def require_json(request: Request) -> None:
    """Raise `HttpError` 415 where the body says that it is something else than JSON."""
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


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Return the whole body; `HttpError` 413 as soon as it is known to be too large.

    `HttpError` 415 where it is compressed: 50 kB may then hold 50 MB. `HttpError` 503
    where it does not come: who sends it is to try again.
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
        raise HttpError(400, "the body ended before its end: send it again")
    request._stream_consumed = not message.get("more_body")  # noqa: SLF001 # likewise
    return bytes(message.get("body", b""))


def demand_size(size: int, bytes_max: int) -> None:
    """Raise `HttpError` 413 where a body is too large."""
    if size > bytes_max:
        raise HttpError(
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


def slow_body(seconds: float) -> HttpError:
    """Return what the sender of a body is told that does not arrive in time."""
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
    # Counting brackets is a cheap bound: few of them cannot nest deeply.
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

    `HttpError` 400 for no JSON or too deep a one, 413, 415, 422 for JSON of another
    kind.
    """
    body = await read_body(request, COMMAND_BYTES_MAX)
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


def validated(kind: type[_Kind], body: dict[str, Any], what: str) -> _Kind:
    """Return what a body says; `HttpError` 422 names all that is wrong in it."""
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
"""One holder may have this part of the room: half of it. The others have the rest."""


class BodyRoom:
    """Room for bodies being read and recorded; a request without a body takes none."""

    def __init__(self, bytes_max: int = ROOM_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._held: Counter[str] = Counter()
        self.bytes = 0

    @contextmanager
    def room_for(self, size: int, holder: str) -> Iterator[None]:
        """Keep room while the body is in hand; `Overloaded` if it is full."""
        self.take(size, holder)
        try:
            yield
        finally:
            self.give_back(size, holder)

    def take(self, size: int, holder: str) -> None:
        """Keep room until it is given back; `Overloaded` if it is full."""
        if self.bytes + size > self._bytes_max:
            raise Overloaded(f"{self.bytes} bytes are in hand")
        if self._held[holder] + size > self._bytes_max // SHARES:
            raise Overloaded(f"{self._held[holder]} bytes of {holder} are in hand")
        self.bytes += size
        self._held[holder] += size

    def give_back(self, size: int, holder: str) -> None:
        """Give room back that was taken."""
        self.bytes -= size
        self._held[holder] -= size
        if not self._held[holder]:
            del self._held[holder]


def size_ahead(headers: Mapping[str, str], bytes_max: int) -> int:
    """Return how much room the body of a request may need."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        return min(int(declared[:19]), bytes_max)
    return bytes_max if "transfer-encoding" in headers else 0


POOL_BYTES_MAX = 4 * 1024 * 1024
BEGINNING_BYTES = 64 * 1024
"""The key is looked for once so much of a body has arrived."""
KEYLESS_SECONDS_MAX = 2.0
"""How long the body of an unknown sender may take to arrive."""

IsEnough = Callable[[bytes], bool]


@dataclass(eq=False)
class _Place:
    """One body in the pool; `limit` is None once it is read."""

    limit: asyncio.Timeout | None
    bytes: int = 0
    sent_away: bool = False


class KeylessBodies:
    """The pool of one process."""

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
        """Give a body, which has its place in the pool until this ends.

        Only its first `BEGINNING_BYTES` or a little more if they are `enough`: then
        `read_body` reads on. Raises `Overloaded` or `Problem`.
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
        """Count what arrived; refuse the largest while it is too much."""
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
