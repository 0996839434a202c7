"""One HTTP request to a provider, with limits, and what its answer means.

No redirect is followed, since it would take a secret elsewhere. Of the body of an
answer at most `ANSWER_BYTES_MAX` are read, and nothing of it is logged.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.http.outbound import InnerAddress

SECONDS_MAX = 15.0
"""Limit for one request, from the connection to the end of the answer."""
ANSWER_BYTES_MAX = 64 * 1024
INNER = (
    "the address is inside the desk's own network: an operator can allow it with "
    "PERMANENCE_OUTBOUND_NETWORKS"
)
_TRY_AGAIN = {408, 429}
_UNAUTHORIZED = 401
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True)
class Answer:
    """The answer of a provider: its status, its headers, and its JSON object."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    """Empty if the answer is not a JSON object."""

    @property
    def is_success(self) -> bool:
        """Whether the status says that the request was carried out."""
        return httpx.codes.is_success(self.status)

    def text(self, name: str) -> str:
        """Return a text in the body; "" if it has none of that name."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""


async def deliver(
    client: httpx.AsyncClient,
    request: httpx.Request,
    at: datetime,
    read: Callable[[Answer, datetime], Outcome],
) -> Outcome:
    """Send a request with a message once; `read` says what the answer means."""
    answer = await call(client, request)
    return answer if isinstance(answer, Failed) else read(answer, at)


def outcome(answer: Answer, at: datetime, id_: str = "", code: str = "") -> Outcome:
    """Return what an answer means whose status says whether it was accepted.

    `id_` and `code` are the fields with the id of the message, and with the error.
    """
    if not answer.is_success:
        return failure(answer, at, answer.body.get(code, ""))
    return Delivered(receipt(answer.body.get(id_)))


async def call(
    client: httpx.AsyncClient, request: httpx.Request, seconds: float = SECONDS_MAX
) -> Answer | Failed:
    """Send a request; return the answer, or the failure if none came in time."""
    try:
        async with asyncio.timeout(seconds):
            answer = await client.send(request, stream=True, follow_redirects=False)
            try:
                raw = await _read(answer)
            finally:
                await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        return Failed("the provider did not answer in time", permanent=False)
    except InnerAddress:
        return Failed(INNER, permanent=True)
    except (httpx.TransportError, httpx.DecodingError) as error:
        what = type(error).__name__
        return Failed(f"the provider cannot be reached ({what})", permanent=False)
    return Answer(answer.status_code, answer.headers, _object(raw))


async def _read(answer: httpx.Response) -> bytes:
    raw = b""
    async for piece in answer.aiter_bytes():
        raw += piece
        if len(raw) > ANSWER_BYTES_MAX:
            return b""
    return raw


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        read = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def failure(answer: Answer, at: datetime, code: object = "") -> Failed:
    """Return what an answer without success means; `code` is the provider's own.

    Rejected credentials are for the operator to repair, so the message waits.
    """
    status = answer.status
    named = f" ({code})" if code and _CODE.fullmatch(str(code)) else ""
    if status == _UNAUTHORIZED:
        why = f"the provider rejects our credentials{named}: check the settings"
        return Failed(why, permanent=False)
    if httpx.codes.is_redirect(status):
        why = f"the provider moved (HTTP {status}): change its address"
        return Failed(why, permanent=True)
    waits = httpx.codes.is_server_error(status) or status in _TRY_AGAIN
    return Failed(
        f"the provider answered HTTP {status}{named}",
        permanent=not waits,
        retry_after=retry_after(answer.headers, at) if waits else None,
    )


def retry_after(headers: Mapping[str, str], at: datetime) -> timedelta | None:
    """Return how long `Retry-After` asks to wait as of `at`; None if it does not."""
    written = headers.get("retry-after", "").strip()
    try:
        if written.isdecimal():
            return timedelta(seconds=int(written))
        until = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - at, timedelta())


def receipt(id_: object) -> str:
    """Return the id that a provider gave a message, if it looks like one."""
    told = str(id_ or "").removeprefix("$")  # the ids of Matrix begin with it
    return told if _CODE.fullmatch(told) else "accepted"
