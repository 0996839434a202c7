"""Calls the API for the pages, as any client would: over its own HTTP endpoints.

Requests stay inside the process, but pass every check of the API: a page cannot show
more than its visitor may request directly.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp

from services.projections.api.limits import PAGE_MAX
from shared.domain.policy.clause import PERSON
from shared.http.form_limits import address_of
from shared.http.wrong_keys import GUESSING

_TOKEN = re.compile(r"[\x21-\x7e]{1,256}")
_PERSON = re.compile(PERSON)


class ApiError(Exception):
    """The API refused a request: the `status`, `code` and sentence of its answer."""

    def __init__(
        self,
        status: int,
        code: str | None,
        sentence: str,
        fields: tuple[str, ...] = (),
        messages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.fields = fields
        """The invalid fields of the body; empty for an error of the whole body."""
        self.messages = messages
        """What is wrong with each of them."""

    @property
    def is_definite(self) -> bool:
        """Whether the command was refused for good: not executed, nor to be soon."""
        unsure = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR and (
            self.status not in unsure
        )

    @property
    def is_signed_out(self) -> bool:
        """Whether the credential is not valid, or was not looked up any more."""
        return self.status == HTTPStatus.UNAUTHORIZED or self.code == GUESSING


class ApiClient:
    """A client of the API with one token, valid or not; `address` is its user's."""

    def __init__(self, app: ASGIApp, token: str | None, address: str = "") -> None:
        self._app = app
        self._token = token
        self._address = address

    async def get(
        self,
        path: str,
        asked: Mapping[str, str | list[str]],
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON at `path`. Raises `ApiError`."""
        return await self._ask("GET", path, headers, params=asked)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        asked: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON that answers a body. Raises `ApiError`."""
        return await self._ask("POST", path, headers, params=asked or {}, json=body)

    async def posted_rows(
        self, path: str, body: Mapping[str, Any], asked: Mapping[str, str]
    ) -> tuple[bytes, Mapping[str, str]]:
        """Return the rows that answer a body, and their headers. Raises `ApiError`."""
        answer = await self._answered("POST", path, params=asked, json=body)
        return answer.content, answer.headers

    async def upload(
        self,
        path: str,
        content: bytes,
        asked: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return the JSON that answers a file. Raises `ApiError`."""
        sent = {**headers, "Content-Type": "application/octet-stream"}
        return await self._ask("POST", path, sent, params=asked, content=content)

    async def content(self, path: str) -> tuple[bytes, Mapping[str, str]]:
        """Return a file and the headers of the answer. Raises `ApiError`."""
        answer = await self._answered("GET", path)
        return answer.content, answer.headers

    async def put(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the JSON that answers a changed record. Raises `ApiError`."""
        return await self._ask("PUT", path, headers, json=body)

    async def delete(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Delete what is at `path`; return the JSON answer. Raises `ApiError`."""
        return await self._ask("DELETE", path, headers)

    async def _ask(
        self,
        method: str,
        path: str,
        sent_headers: Mapping[str, str] | None = None,
        **given: Mapping[str, Any] | bytes,
    ) -> dict[str, Any]:
        answer = await self._answered(method, path, sent_headers, **given)
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body

    async def _answered(
        self,
        method: str,
        path: str,
        sent_headers: Mapping[str, str] | None = None,
        **given: Mapping[str, Any] | bytes,
    ) -> httpx.Response:
        # A form may contain anything: what no header can carry is refused as invalid.
        headers = {
            name: value.encode("ascii", "backslashreplace").decode("ascii")
            for name, value in (sent_headers or {}).items()
        }
        if self._token is not None:
            # A text that is not valid in a header is not a token, but may be sent.
            sent = self._token if _TOKEN.fullmatch(self._token) else "malformed"
            headers["Authorization"] = f"Bearer {sent}"
        if self._address:
            headers["X-Forwarded-For"] = self._address
        # Without a client around it: each page makes up to ten of these requests, and
        # its cookies, redirects and proxies are not needed.
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        url = httpx.URL(f"http://desk{path}")
        request = httpx.Request(method, url, headers=headers, **given)  # type: ignore[arg-type] # `params`, `json` or `content`
        answer = await transport.handle_async_request(request)
        await answer.aread()
        if answer.is_success:
            return answer
        body: dict[str, Any] = answer.json() if answer.content else {}
        errors = body.get("errors", ())
        raise ApiError(
            answer.status_code,
            body.get("code"),
            body["detail"],
            tuple(str(each["loc"][-1]) if each["loc"] else "" for each in errors),
            tuple(str(each["msg"]) for each in errors),
        )


def client_of(request: Request, token: str | None = None) -> ApiClient:
    """Return a client for whom a request comes from, by default not signed in."""
    address = address_of(request, request.app.state.desk.trusted_proxies)
    return ApiClient(request.app, token, address)


def person_of(actor: str | None) -> str:
    """Return the id of the person that an actor is; other actors as they are."""
    return (actor or "").removeprefix("person:")


async def names_of(client: ApiClient, ids: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of people by id, as far as the visitor may look them up."""
    wanted = sorted({id_ for id_ in ids if id_ and _PERSON.fullmatch(id_)})
    if not wanted:
        return {}
    try:
        found = await client.get("/v1/people", {"id": wanted[:PAGE_MAX]})
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return {}
        raise
    return {each["id"]: each["name"] for each in found["items"]}


def owner_of(me: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the head of every page says of the visitor, as `/v1/me` has it."""
    id_ = person_of(me["actor"])
    return {"me": id_, "my_name": me["name"] or id_, "scopes": me["scopes"]}
