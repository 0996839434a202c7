"""Posts a signed notification to a receiver and returns the outcome.

Of the response, only the status and `Retry-After` count. A short body is read to its
end, so that the connection can be used again; nothing of it is kept or logged.

Signatures follow the Standard Webhooks specification: HMAC-SHA256, version v1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import ClassVar

import httpx
import orjson

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
)
from services.escalation.notifications.channels.http_call import retry_after
from services.escalation.notifications.channels.parcel import ByWebhook, Parcel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.domain.events.notification import Channel as ChannelName

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """Return the key in a secret: `whsec_` and base64, or any other text as it is.

    Raise `ValueError` without one; the message does not repeat the secret.
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
ANSWER_BYTES_MAX = 16 * 1024
ANSWER_SECONDS_MAX = 0.5
"""How much of a body is read after the status, and for how long. A connection whose
answer is longer is closed: the next message opens another."""
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
    key = signing_key(secret)
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError("write the webhook's address as https://host/path") from error
    if read.scheme not in ("http", "https") or not read.host:
        raise ValueError("write the webhook's address as https://host/path")
    return Receiver(url, key)


LIMITS = httpx.Limits(
    max_connections=100, max_keepalive_connections=100, keepalive_expiry=4.0
)
"""Connections that are kept for the next message. Many servers close one that was idle
for 5 s: a message should not meet a connection that is being closed."""


def forgetful_client(
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Return a client for channels that does not store cookies."""
    none = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(cookies=none, transport=transport, limits=LIMITS)


NO_RECEIVER = "no receiver of pages is set: set PERMANENCE_WEBHOOK_URL"
RETRIED_FOR = timedelta(hours=48)
AT_ONCE_MAX = 32
"""More than by other channels: the receiver is the desk's own, and connections to it
are used again."""


@dataclass(frozen=True)
class WebhookChannel:
    """Posts to the desk's receiver of pages."""

    name: ClassVar[ChannelName] = "webhook"
    traits: ClassVar = ChannelTraits(retried_for=RETRIED_FOR, at_once_max=AT_ONCE_MAX)

    client: httpx.AsyncClient
    receiver: Receiver | None = None

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.receiver else NO_RECEIVER

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Post a parcel once. Raises `TypeError` for one of another kind."""
        if not isinstance(parcel, ByWebhook):
            raise TypeError(f"{type(parcel).__name__} is not a post")
        if self.receiver is None:
            return Failed(NO_RECEIVER, permanent=True)
        key, payload = parcel.key, parcel.payload
        return await post_webhook(self.client, self.receiver, key, at, payload)


def webhook_channel(context: ChannelContext) -> WebhookChannel:
    """Return the channel as the settings configure it."""
    settings = context.settings
    url, secret = settings.webhook_url, settings.webhook_secret
    if url is None or secret is None:
        return WebhookChannel(context.client)
    to = receiver(url.get_secret_value(), secret.get_secret_value())
    return WebhookChannel(context.client, to)


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
    except (TimeoutError, httpx.TimeoutException):
        return Failed("the receiver did not answer in time", permanent=False)
    except httpx.TransportError as error:
        what = type(error).__name__
        return Failed(f"the receiver cannot be reached ({what})", permanent=False)
    await _finish(answer)
    return _outcome(answer, at)


async def _finish(answer: httpx.Response) -> None:
    """Read a short body to its end: httpx uses only such a connection again.

    The receiver has answered, so an error here is not an error of the message.
    """
    size = 0
    try:
        with suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                async for piece in answer.aiter_raw():
                    size += len(piece)
                    if size > ANSWER_BYTES_MAX:
                        break
    finally:
        await answer.aclose()


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
        retry_after=retry_after(answer.headers, at) if waits else None,
    )
