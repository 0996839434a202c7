"""Calls the API for the pages, as any client would: over its own HTTP endpoints.

Requests stay inside the process, but pass every check of the API: a page cannot show
more than its visitor may request directly.
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
    """The API refused a request: the `status`, `code` and sentence of its answer."""

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
        """The invalid fields of the body."""


class ApiClient:
    """A client of the API with one token, valid or not; `address` is its user's."""

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
        """Return the JSON that answers a body. Raises `Refused`."""
        return await self._ask("POST", path, json=body)

    async def _ask(
        self, method: str, path: str, **given: Mapping[str, Any]
    ) -> dict[str, Any]:
        headers = {}
        if self._token is not None:
            # A text that is not valid in a header is not a token, but may be sent.
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
    """Return the names of people by id, as far as the visitor may look them up."""
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
