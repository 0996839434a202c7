"""`POST /v1/sources/{name}/keys`: an administrator makes a key for a source."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.gate.api_keys import bearer
from services.intake.gate.gate import Gate
from services.intake.policy.store import InForce
from services.intake.source_keys.schemas import CreatedKey, CreateKey
from shared.clock import Clock
from shared.domain.policy.sources import Monitor
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope
from shared.http.bodies import read_object, validated
from shared.http.command_headers import idempotency_key
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError
from shared.security.access import (
    NewToken,
    create_source_key,
    living_keys,
    new_token,
)

KEYS_MAX = 20
"""Valid keys of one source: one for each host that sends, and room to replace them."""
_ID_DIGITS = 12
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SourceKeyEndpoints:
    """The dependencies of the route."""

    gate: Gate
    log: EventLog
    in_force: InForce
    clock: Clock

    def routes(self) -> list[Route]:
        """Return the route."""
        made = answered(self._create)
        return [Route("/v1/sources/{name}/keys", made, methods=["POST"])]

    async def _create(self, request: Request) -> Response:
        caller = await self.gate.caller(request, bearer(request))
        require_scope(caller, "admin")
        wanted = validated(CreateKey, await read_object(request), "key")
        name = request.path_params["name"]
        kind = await self._type_of(name)
        key = idempotency_key(request.headers.get("idempotency-key"))
        made = new_token(_id_for(caller.token_id, name, key))
        now = self.clock()
        await asyncio.to_thread(
            self._store, made, name, wanted.label, now, caller.actor
        )
        _log.info("source_key.created", by=caller.actor, source=name, key=made.token_id)
        answer = CreatedKey(
            source=name,
            type=kind,
            id=made.token_id,
            label=wanted.label,
            created_at=now,
            key=made.token,
        )
        shown = json_answer(answer.model_dump(), HTTPStatus.CREATED)
        shown.headers["Cache-Control"] = "no-store"  # it holds a secret
        return shown

    async def _type_of(self, name: str) -> str:
        """Return the type of a source. Raises `HttpError` if it sends with no key."""
        await self.in_force.known()
        source = self.in_force.source(name)
        if source is None:
            raise HttpError(
                404,
                f"the policy has no source `{name[:128]}`: add it under `sources`",
                code="unknown_source",
            )
        if not isinstance(source, Monitor):
            raise HttpError(
                409,
                f"`{name}` is a mailbox, which the desk reads: it needs no key",
            )
        return source.type

    def _store(
        self, made: NewToken, source: str, label: str, now: datetime, by: str
    ) -> None:
        with self.log.transaction() as cursor:
            if living_keys(cursor, source, now) >= KEYS_MAX:
                raise HttpError(
                    409,
                    f"{source} has {KEYS_MAX} valid keys already: revoke one that is "
                    "no longer used",
                    code="too_many_keys",
                )
            if not create_source_key(cursor, made, source, label, now, by):
                raise HttpError(
                    409,
                    f"this request made the key {made.token_id} before, and only that "
                    "answer showed it: if it was lost, revoke the key and make another",
                    code="made_before",
                )


def _id_for(token_id: str, source: str, key: str | None) -> str:
    """Return the id of a new key: the same for a repeated request, so it acts once."""
    if key is None:
        return secrets.token_hex(_ID_DIGITS // 2)
    written = f"{token_id}\n{source}\n{key}"
    return sha256(written.encode()).hexdigest()[:_ID_DIGITS]
