"""Posts a signed notification to a receiver and returns the outcome.

Of the response, only the status and `Retry-After` are read; nothing else is kept or
logged.

Signatures follow the Standard Webhooks specification: HMAC-SHA256, version v1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import orjson

from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """Return the key in a secret: `whsec_` and base64, or any other text as it is.

    Raise `ValueError` if there is none; the message does not repeat the secret.
    """
    if not secret.startswith(_PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError(
                "what follows whsec_ in the secret of the webhook is not base64"
            ) from error
    if not key:
        raise ValueError("the secret of the webhook is empty: make one of 24 bytes")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>` over id, epoch seconds and body."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = hmac.digest(key, signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode("ascii")


SECONDS_MAX = 15.0
"""Limit for one attempt, from the connection to the receiver's status."""
KEY_MAX = 256
_TRY_AGAIN = {408, 429}


@dataclass(frozen=True)
class Receiver:
    """The URL to post to, and the signing key. The URL may be secret as well."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)


def receiver(url: str, secret: str) -> Receiver:
    """Parse a receiver; `secret` is `whsec_` and base64, or any other text.

    Raise `ValueError` if one of them is wrong; the message repeats neither.
    """
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError("write the webhook's address as https://host/path") from error
    if read.scheme not in ("http", "https") or not read.host:
        raise ValueError("write the webhook's address as https://host/path")
    return Receiver(url, signing_key(secret))


def forgetful_client() -> httpx.AsyncClient:
    """Return a client for `post_webhook` that does not store cookies."""
    return httpx.AsyncClient(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())))


async def post_webhook(
    client: httpx.AsyncClient,
    to: Receiver,
    key: str,
    at: datetime,
    payload: Mapping[str, object],
    *,
    seconds: float = SECONDS_MAX,
) -> Outcome:
    """Post `payload` as canonical JSON; `at` is the instant of this attempt.

    Never raises for remote errors. Raises `ValueError` if `key` is not a valid header.
    """
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= KEY_MAX):
        raise ValueError(f"write a key in 1 to {KEY_MAX} printable ASCII characters")
    body = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    request = client.build_request(
        "POST",
        to.url,
        content=body,
        headers=_headers(to.key, key, int(at.timestamp()), body),
        timeout=seconds,
    )
    try:
        async with asyncio.timeout(seconds):
            answer = await client.send(request, stream=True, follow_redirects=False)
            await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        return Failed("the receiver did not answer in time", permanent=False)
    except httpx.TransportError as error:
        what = type(error).__name__
        return Failed(f"the receiver cannot be reached ({what})", permanent=False)
    return _outcome(answer, at)


def _headers(
    key: bytes, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "user-agent": "permanence",
        "idempotency-key": message_id,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key, message_id, timestamp, body),
    }


def _outcome(answer: httpx.Response, at: datetime) -> Outcome:
    status = answer.status_code
    if answer.is_success:
        return Delivered(f"HTTP {status}")
    if answer.is_redirect:
        return Failed(f"the receiver moved (HTTP {status}): change it", permanent=True)
    waits = answer.is_server_error or status in _TRY_AGAIN
    return Failed(
        f"the receiver answered HTTP {status}",
        permanent=not waits,
        retry_after=_retry_after(answer.headers, at) if waits else None,
    )


def _retry_after(headers: httpx.Headers, at: datetime) -> timedelta | None:
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
