"""Records each answer that serves personal words, before it is sent.

Outside of the endpoints: none can forget it, and no header, method or condition of a
request goes around it. Pages ask the API within the process, so it sees theirs as well.
A refused request served nothing, so nothing is recorded.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request as HttpRequest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.projections.reads.addresses import Words, words_at
from services.projections.reads.rules import Answered, recorded
from shared.http.error_responses import ANSWER_SECONDS, place_of, problem_of
from shared.http.problem_details import response

REFUSED = 400
"""The first status of an answer that serves nothing."""
_KEY = "permanence.reader"


@dataclass(slots=True)
class _Reader:
    actor: str = ""
    records: list[str] = field(default_factory=list)


def name_reader(request: HttpRequest, actor: str, *records: str) -> None:
    """Say who reads, and which records if the answer does not name them."""
    named = request.scope.get(_KEY)
    if isinstance(named, _Reader):
        named.actor = actor
        named.records.extend(records)


class RecordedReads:
    """`app`, whose answers are recorded if their address serves personal words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; record what it answers before it is sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_KEY] = _Reader()
        await self._app(scope, receive, _Recording(scope, receive, send))


class _Recording:
    """Sends one answer, once what it serves is recorded."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._body = b""
        self._is_refused = False

    async def __call__(self, message: Message) -> None:
        path = getattr(self._scope.get("route"), "path", "")
        words = words_at(self._scope["method"], path)
        if words is None or self._is_refused:
            if not self._is_refused:
                await self._send(message)
            return
        if message["type"] == "http.response.start":
            if message["status"] >= REFUSED:
                await self._send(message)
            else:
                self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return  # it is known whole before the first byte leaves
        await self._answer(words, self._start)

    async def _answer(self, words: Words, start: Message) -> None:
        try:
            await self._record(words, start)
        except Exception as error:  # noqa: BLE001 # what is not recorded is not served
            self._is_refused = True
            problem = problem_of(error, place_of(HttpRequest(self._scope))).details
            await response(problem)(self._scope, self._receive, self._send)
            return
        await self._send(start)
        await self._send({"type": "http.response.body", "body": self._body})

    async def _record(self, words: Words, start: Message) -> None:
        scope: dict[str, Any] = dict(self._scope)
        desk, reader = scope["app"].state.desk, scope[_KEY]
        if not reader.actor:
            raise RuntimeError(f"{scope['path']} does not say who reads")
        answered = Answered(
            reader.actor,
            getattr(scope["route"], "path", ""),
            {name: str(each) for name, each in scope["path_params"].items()},
            QueryParams(scope["query_string"]),
            Headers(raw=start["headers"]).get("content-type", ""),
            self._body,
            reader.records,
        )
        reads, request = recorded(words, answered, desk.clock())
        async with asyncio.timeout(ANSWER_SECONDS):
            if request is None:
                await desk.reads.note(reads)
            else:
                await desk.reads.request(request)
