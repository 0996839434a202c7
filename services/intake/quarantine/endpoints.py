"""The quarantine endpoints, for people with their tokens."""

import base64
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.gate.api_keys import bearer
from services.intake.gate.gate import Gate
from services.intake.quarantine import store
from services.intake.quarantine.retry import QuarantineRetry
from services.intake.quarantine.store import QuarantinedElement
from shared.database.cursors import Cursors
from shared.domain.commands.quarantine import (
    Discard,
    Filter,
    Quarantined,
    QuarantinedWhole,
    QuarantineListing,
    QuarantinePage,
    RetryMany,
)
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope
from shared.http.bodies import document_in, read_body, validated
from shared.http.error_responses import Endpoint, answered
from shared.http.problem_details import HttpError
from shared.messaging.commands import Scope
from shared.reads import Read, note
from shared.security.access import Caller
from shared.security.sender import READERS
from shared.threads import in_thread
from shared.vault.vault import VaultError

TRIES: tuple[Scope, ...] = ("agent", "manager", "admin")
ASKED_BYTES_MAX = 16 * 1024
ASKED_DEPTH_MAX = 4
NUMBER_DIGITS_MAX = 18

Asked = TypeVar("Asked", bound=BaseModel)


@dataclass(frozen=True)
class QuarantineEndpoints:
    """The dependencies of the routes."""

    gate: Gate
    retrying: QuarantineRetry

    def routes(self) -> list[Route]:
        """Return the routes; each of them always sends an answer."""
        return [
            _route("/v1/quarantine", self._list, "GET"),
            _route("/v1/quarantine/retry", self._retry_many, "POST"),
            _route("/v1/quarantine/{id}", self._show, "GET"),
            _route("/v1/quarantine/{id}/retry", self._retry, "POST"),
            _route("/v1/quarantine/{id}/discard", self._discard, "POST"),
        ]

    @property
    def _log(self) -> EventLog:
        return self.retrying.log

    async def _list(self, request: Request) -> Response:
        await self._caller(request, *READERS)
        asked = validated(QuarantineListing, dict(request.query_params), "query")
        found = await in_thread(self.retrying.executor, self._page, asked)
        shown = found[: asked.limit]
        more = str(shown[-1].id) if len(found) > len(shown) else None
        return _json(QuarantinePage(items=shown, next_cursor=more))

    async def _show(self, request: Request) -> Response:
        caller = await self._caller(request, *READERS)
        row = await in_thread(self.retrying.executor, self._row, _number(request))
        return _json(await in_thread(self.retrying.executor, self._whole, row, caller))

    async def _retry(self, request: Request) -> Response:
        caller = await self._caller(request, *TRIES)
        row = await in_thread(self.retrying.executor, self._row, _number(request))
        await _body(request, _Nothing)
        return _json(await self.retrying.one(row.id, caller.actor))

    async def _retry_many(self, request: Request) -> Response:
        caller = await self._caller(request, *TRIES)
        asked = await _body(request, RetryMany)
        return _json(await self.retrying.many(asked, caller.actor))

    async def _discard(self, request: Request) -> Response:
        caller = await self._caller(request, *TRIES)
        row = await in_thread(self.retrying.executor, self._row, _number(request))
        why = (await _body(request, Discard)).reason
        await in_thread(
            self.retrying.executor, self._discarded, row.id, caller.actor, why
        )
        row = await in_thread(self.retrying.executor, self._row, row.id)
        return _json(row)

    def _page(self, asked: QuarantineListing) -> list[Quarantined]:
        # One row more than shown tells whether another page follows.
        with self._log.transaction() as cursor:
            return store.listed(
                cursor, asked, asked.state, asked.cursor, asked.limit + 1
            )

    def _row(self, number: int) -> Quarantined:
        with self._log.transaction() as cursor:
            row = store.one(cursor, number)
        if row is None:
            raise HttpError(404, f"nothing in quarantine has the number {number}")
        return row

    def _whole(self, row: Quarantined, caller: Caller) -> QuarantinedWhole:
        with_body = "admin" in caller.scopes
        with self._log.transaction() as cursor:
            kept = self._kept(cursor, row.id) if with_body else None
            history = store.journal(cursor, row.id)
            if kept:  # the row is committed before the body is shown
                record, now = f"quarantine:{row.id}", self.retrying.clock()
                note(cursor, [Read(caller.actor, record, "body", now)])
        body, encoding = _shown(kept.body) if kept else (None, None)
        told = {"body": body, "encoding": encoding, "journal": history}
        return QuarantinedWhole.model_validate(row.model_dump() | told)

    def _kept(self, cursor: Cursors, number: int) -> QuarantinedElement | None:
        try:
            return store.kept(cursor, self._log.vault, number)
        except VaultError:  # its history is shown nevertheless
            return None

    def _discarded(self, number: int, by: str, why: str) -> None:
        note = store.Note(self.retrying.clock(), by, why)
        with self._log.transaction() as cursor:
            if not store.discard(cursor, number, note):
                raise HttpError(
                    409, f"{number} does not wait any more: nothing was done"
                )

    async def _caller(self, request: Request, *scopes: Scope) -> Caller:
        caller = await self.gate.caller(request, bearer(request))
        require_scope(caller, *scopes)
        return caller


class _Nothing(BaseModel):
    """The body of a request that needs none."""

    model_config = Filter.model_config


def _route(path: str, endpoint: Endpoint, method: str) -> Route:
    return Route(path, answered(endpoint), methods=[method])


def _number(request: Request) -> int:
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise HttpError(404, "what is in quarantine has a number: see /v1/quarantine")
    return int(text)


async def _body(request: Request, kind: type[Asked]) -> Asked:
    body = await read_body(request, ASKED_BYTES_MAX)
    document = document_in(body, ASKED_DEPTH_MAX) if body else {}
    return validated(kind, document, "request")


def _shown(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _json(content: BaseModel) -> Response:
    return Response(content.model_dump_json(), media_type="application/json")
