"""Asks the API what a page shows, as any client would: over its own HTTP endpoints.

It stays inside the process, yet passes every check of the API: the page may show no
more than its visitor could ask for by himself.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp

_TOKEN = re.compile(r"[\x21-\x7e]{1,256}")
_SECONDS = 30.0


class Refused(Exception):
    """The API said no: `status` and `code` as in its answer, and its sentence."""

    def __init__(self, status: int, code: str | None, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Asker:
    """The API, asked with one token, of whatever form it is."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON at `path`. Raises `Refused`."""
        headers = {}
        if self._token is not None:
            # What cannot stand in a header is no token of ours, but it may be sent.
            sent = self._token if _TOKEN.fullmatch(self._token) else "malformed"
            headers["Authorization"] = f"Bearer {sent}"
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://desk",
            trust_env=False,
            timeout=_SECONDS,
        ) as client:
            answer = await client.get(path, params=asked, headers=headers)
        body: dict[str, Any] = answer.json()
        if answer.is_success:
            return body
        raise Refused(answer.status_code, body.get("code"), body["detail"])
