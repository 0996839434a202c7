"""Asks the API what a page shows, as any client would: over its own HTTP endpoints.

It stays inside the process, yet passes every check of the API: the page may show no
more than its visitor could ask for by himself.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import httpx
from starlette.types import ASGIApp

from services.projections.api.limits import PAGE_MAX
from shared.domain.policy.clause import PERSON

_TOKEN = re.compile(r"[\x21-\x7e]{1,256}")
_PERSON = re.compile(PERSON)
_SECONDS = 30.0


class Refused(Exception):
    """The API said no: `status` and `code` as in its answer, and its sentence."""

    def __init__(
        self,
        status: int,
        code: str | None,
        sentence: str,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.fields = fields
        """Those of the body that are wrong."""


class ApiClient:
    """The API, asked with one token, of whatever form it is; `address` is whose."""

    def __init__(self, app: ASGIApp, token: str | None, address: str = "") -> None:
        self._app = app
        self._token = token
        self._address = address

    async def get(
        self, path: str, asked: Mapping[str, str | list[str]]
    ) -> dict[str, Any]:
        """Return the JSON at `path`. Raises `Refused`."""
        return await self._ask("GET", path, params=asked)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON that a body is answered with. Raises `Refused`."""
        return await self._ask("POST", path, json=body)

    async def _ask(
        self, method: str, path: str, **given: Mapping[str, Any]
    ) -> dict[str, Any]:
        headers = {}
        if self._token is not None:
            # What cannot stand in a header is no token of ours, but it may be sent.
            sent = self._token if _TOKEN.fullmatch(self._token) else "malformed"
            headers["Authorization"] = f"Bearer {sent}"
        if self._address:
            headers["X-Forwarded-For"] = self._address
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://desk",
            trust_env=False,
            timeout=_SECONDS,
        ) as client:
            answer = await client.request(method, path, headers=headers, **given)  # type: ignore[arg-type] # `params` or `json`
        body: dict[str, Any] = answer.json()
        if answer.is_success:
            return body
        wrong = tuple(str(each["loc"][-1]) for each in body.get("errors", ()))
        raise Refused(answer.status_code, body.get("code"), body["detail"], wrong)


async def names_of(asker: ApiClient, ids: Iterable[str | None]) -> Mapping[str, str]:
    """Return what people are called, by id; nobody whom the visitor may not look up."""
    wanted = sorted({id_ for id_ in ids if id_ and _PERSON.fullmatch(id_)})
    if not wanted:
        return {}
    try:
        found = await asker.get("/v1/people", {"id": wanted[:PAGE_MAX]})
    except Refused as no:
        if no.status == HTTPStatus.FORBIDDEN:
            return {}
        raise
    return {each["id"]: each["name"] for each in found["items"]}
