"""Sends what the day asks of a busy desk again, as real clients do."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import httpx

SECONDS_MAX = 120.0
"""How long a desk may be too busy for one request."""
PAUSE_SECONDS = 0.2
AT_ONCE: Mapping[str, bool] = {"at_once": True}
"""The `extensions` of a request whose first answer counts."""


class PatientTransport(httpx.AsyncHTTPTransport):
    """Sends a request again while the answer is 503 and says when to come again."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer that decides, or the last one after `SECONDS_MAX`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SECONDS_MAX
        while True:
            answer = await super().handle_async_request(request)
            busy = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            again = busy and "retry-after" in answer.headers
            if not again or "at_once" in request.extensions or loop.time() > until:
                return answer
            await answer.aclose()
            await asyncio.sleep(PAUSE_SECONDS)
