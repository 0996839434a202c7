"""Webhook handshakes: subscription confirmations of SNS, and CloudEvents consent.

https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md

The URL to confirm comes in a request body, so it is not trusted: a URL inside our own
network would make us send requests that its sender could not send (SSRF). Only URLs of
SNS itself, with the one action that confirms, are requested.

Anybody may ask for consent to send CloudEvents: a delivery without a key is rejected.
The answer sets no rate limit; a delivery above the rate gets 429 and `Retry-After`.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

import httpx
from starlette.requests import Request
from starlette.responses import Response

from shared.http.problem_details import HttpError

URL_MAX = 2_048
CONFIRM_SECONDS_MAX = 5.0
AT_ONCE_MAX = 4
"""Concurrent confirmations: each subscription needs only one."""
AGAIN_SECONDS = 10

_ASKED = re.compile(
    r"https://sns\."
    r"(?:[a-z]{2,3}(?:-[a-z]{1,16}){1,3}-[0-9]{1,2}\.amazonaws\.com"
    r"|cn-[a-z]{1,16}-[0-9]{1,2}\.amazonaws\.com\.cn)"
    r"(?::443)?/\?([!-~]+)",
    re.ASCII,
)
_NEVER_IN_A_QUERY = frozenset("#\\")
_ACTION = "action"
_CONFIRMS = ("Action", "ConfirmSubscription")
NOT_ALLOWED = (
    "not confirmed: SNS does not confirm subscriptions at this address "
    "(https://sns.<region>.amazonaws.com/?Action=ConfirmSubscription&…)"
)
CONFIRMED = "the subscription is confirmed: what it sends from now on is taken"


def may_confirm(url: str) -> bool:
    """Return whether this is a URL at which only SNS confirms a subscription.

    The whole URL must match one expression, so that no URL parser can find a different
    host in it.
    """
    asked = _ASKED.fullmatch(url) if len(url) <= URL_MAX else None
    if asked is None or not _NEVER_IN_A_QUERY.isdisjoint(asked[1]):
        return False
    said = [pair for pair in parse_qsl(asked[1]) if pair[0].lower() == _ACTION]
    return said == [_CONFIRMS]


class Handshakes:
    """Confirms subscriptions, a few at a time; `allowed` accepts or rejects URLs."""

    def __init__(
        self,
        allowed: Callable[[str], bool] = may_confirm,
        seconds_max: float = CONFIRM_SECONDS_MAX,
    ) -> None:
        self._allowed = allowed
        self._seconds_max = seconds_max
        self._going = asyncio.Semaphore(AT_ONCE_MAX)

    async def confirm(self, url: str) -> str:
        """Return a sentence about the result; `HttpError` 503 if to be retried."""
        if not self._allowed(url):
            return NOT_ALLOWED
        if self._going.locked():
            raise _again("others are being confirmed")
        async with self._going:
            status = await _status(url, self._seconds_max)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _again(f"the answer was {status}")
        if status != HTTPStatus.OK:
            return f"not confirmed, the answer was {status}: request confirmation again"
        return CONFIRMED


async def _status(url: str, seconds_max: float) -> int:
    """Send the request without redirects or proxies, and do not read the body."""
    try:
        async with (
            asyncio.timeout(seconds_max),
            httpx.AsyncClient(trust_env=False, timeout=seconds_max) as client,
            client.stream("GET", url) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise _again(f"no answer ({type(error).__name__})") from error


def _again(why: str) -> HttpError:
    return HttpError(
        503,
        f"the subscription is not confirmed yet: {why}; ask again",
        code="not_confirmed",
        retry_after=AGAIN_SECONDS,
    )


_ORIGIN = re.compile(r"[A-Za-z0-9.:_-]{1,253}|\*", re.ASCII)
_METHODS = "POST, OPTIONS"


async def consent(request: Request) -> Response:
    """Allow the requesting origin to post here, without a rate limit."""
    origin = request.headers.get("webhook-request-origin")
    headers = {"Allow": _METHODS}
    if origin is not None:
        if not _ORIGIN.fullmatch(origin):
            raise HttpError(400, "`WebHook-Request-Origin` is the name of a host")
        headers["WebHook-Allowed-Origin"] = origin
        headers["WebHook-Allowed-Rate"] = "*"
    return Response(status_code=HTTPStatus.OK, headers=headers)
