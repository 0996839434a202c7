"""Endpoints at which people announce, list and cancel maintenance."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.attempts import journalled_of
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.policy.store import Policies, current
from services.intake.policy.window_store import Decide, Note, book_now, record
from services.intake.policy.windows import (
    Announce,
    Book,
    Recurring,
    Withdraw,
    announced,
    cancelled,
    upcoming,
    window_ref,
)
from services.intake.signals.body import read_json
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.events import MaintenanceEvent
from shared.domain.events.administration import MaintenanceAnnounced
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope
from shared.http.bodies import read_body, require_json, validated
from shared.http.command_headers import idempotency_key
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.security.access import Caller
from shared.security.sender import READERS
from shared.threads import in_thread

BODY_BYTES_MAX = 16_384
SHOWN_MAX = 500
NAMESPACE = UUID("0a7d1c57-3f4b-4e0a-9f0f-7f5b2a64c1de")
"""Namespace of command ids, from the token and the Idempotency-Key."""

_Command = TypeVar("_Command", bound=BaseModel)


def announcement_routes(context: EndpointContext, clock: Clock) -> list[Route]:
    """Return the routes for announced maintenance."""
    policies = Policies(context.log)

    async def announce(request: Request) -> Response:
        return await _announce(context, request, policies, clock)

    async def withdraw(request: Request) -> Response:
        return await _withdraw(context, request, clock)

    async def listed(request: Request) -> Response:
        return await _listed(context, request, clock)

    return [
        Route("/v1/maintenance", answered(announce), methods=["POST"]),
        Route("/v1/maintenance", answered(listed), methods=["GET"]),
        Route("/v1/maintenance/{window}/cancel", answered(withdraw), methods=["POST"]),
    ]


async def _announce(
    context: EndpointContext, request: Request, policies: Policies, clock: Clock
) -> Response:
    """Announce maintenance of a service."""
    caller, body = await _asked(context, request)
    command = _command(Announce, body)

    def decide(cursor: Cursors, _: Book, number: int) -> MaintenanceEvent:
        _version, policy = policies.current(cursor)
        return announced(command, window_ref(number), clock(), caller.actor, policy)

    note = journalled_of(caller.actor, "maintenance.announce", command.service, clock)
    return await _record(context, request, (caller, body), decide, note)


async def _withdraw(
    context: EndpointContext, request: Request, clock: Clock
) -> Response:
    """Cancel announced maintenance."""
    caller, body = await _asked(context, request)
    command, ref = _command(Withdraw, body), request.path_params["window"]

    def decide(_: Cursors, book: Book, _number: int) -> MaintenanceEvent | None:
        return cancelled(command, ref, book, clock(), caller.actor)

    note = journalled_of(caller.actor, "maintenance.cancel", ref, clock)
    return await _record(context, request, (caller, body), decide, note)


async def _listed(context: EndpointContext, request: Request, clock: Clock) -> Response:
    """List announced maintenance, newest first, and what the policy says is next."""
    require_scope(await context.gate.caller(request, bearer(request)), *READERS)
    service = request.query_params.get("service")

    found = await in_thread(context.executor, book_now, context.log)
    next_ones = await in_thread(context.executor, _upcoming, context.log, clock)
    items = [each for each in found.values() if service in (None, each.service)]
    recurring = [each for each in next_ones if service in (None, each.service)]
    answer = {"items": items[::-1][:SHOWN_MAX], "recurring": recurring}
    return json_answer(answer, HTTPStatus.OK)


def _upcoming(log: EventLog, clock: Clock) -> Sequence[Recurring]:
    """Return the next windows of the policy. Blocks: a rule may take seconds."""
    in_force = current(log)
    return upcoming(in_force[1].maintenance, clock()) if in_force else ()


async def _asked(context: EndpointContext, request: Request) -> tuple[Caller, bytes]:
    """Return the caller, whose role is checked, and the body."""
    caller = await context.gate.caller(request, bearer(request))
    require_scope(caller, "agent", "manager")
    require_json(request)
    return caller, await read_body(request, BODY_BYTES_MAX)


def _command(kind: type[_Command], body: bytes) -> _Command:
    return validated(kind, read_json(body or b"{}"), "command")


async def _record(
    context: EndpointContext,
    request: Request,
    asked: tuple[Caller, bytes],
    decide: Decide,
    note: Note,
) -> Response:
    """Record the decision; answer with the resulting window."""
    caller, body = asked
    context.log.vault.prepare(caller.actor)
    command_id = _command_id(caller, request.headers.get("idempotency-key"))
    digest = sha256(request.url.path.encode() + b"\n" + body).digest()
    entry = await in_thread(
        context.executor, record, context.log, decide, command_id, digest, note
    )
    book = await in_thread(context.executor, book_now, context.log)
    event = entry.event if entry else None
    ref = getattr(event, "window", None) or request.path_params.get("window", "")
    answer = {
        "outcome": "recorded" if entry else "already",
        "positions": [entry.position] if entry else [],
        **asdict(book[ref]),
    }
    made = isinstance(event, MaintenanceAnnounced)
    return json_answer(answer, HTTPStatus.CREATED if made else HTTPStatus.OK)


def _command_id(caller: Caller, key: str | None) -> UUID | None:
    key = idempotency_key(key)
    if key is None:
        return None
    return uuid5(NAMESPACE, f"{caller.token_id}|{key}")
