"""Heartbeat endpoints: `POST /v1/heartbeats/{name}` beats, `GET` shows their state.

A GET never counts as a beat: browsers, proxies and link previews send GET requests.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.gate.api_keys import bearer, seen_by
from services.intake.gate.gate import Gate
from services.intake.heartbeats.rules import (
    Beating,
    HeartbeatTerms,
    OtherSource,
    owner_of,
)
from services.intake.heartbeats.worker import HeartbeatWatch
from services.intake.policy.store import InForce
from services.intake.signals.body import BODY_BYTES_MAX
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Heartbeat
from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError


def shown(name: str, rule: Heartbeat, held: Beating | None) -> dict[str, Any]:
    """Return a heartbeat as shown by the API; `held` is None if just applied."""
    return {
        "name": name,
        "state": held.state if held else "waiting",
        "every": duration_text(rule.every),
        "grace": duration_text(rule.grace),
        "service": rule.service,
        "severity": rule.severity,
        "calendar": rule.calendar,
        "source": owner_of(rule, held),
        "beats": held.beats if held else 0,
        "last_beat_at": held.last_beat_at if held else None,
        "expected_by": held.due_at if held else None,
        "silent_since": held.silent_since if held else None,
    }


class HeartbeatEndpoints:
    """Takes beats from sources; shows heartbeats to people and to their source."""

    def __init__(self, gate: Gate, in_force: InForce, watch: HeartbeatWatch) -> None:
        self._gate = gate
        self._in_force = in_force
        self._watch = watch

    def routes(self) -> list[Route]:
        """Return the routes."""
        beat = answered(self._gate.bounded(self._beat))
        return [
            Route("/v1/heartbeats", answered(self._all), methods=["GET"]),
            Route("/v1/heartbeats/{name}", answered(self._one), methods=["GET"]),
            Route("/v1/heartbeats/{name}", beat, methods=["POST"]),
            Route("/v1/heartbeats/{name}/{key}", beat, methods=["POST"]),
        ]

    async def _beat(self, request: Request) -> Response:
        key = request.path_params.get("key") or bearer(request)
        source = await self._gate.admit(request, key)
        await read_body(request, BODY_BYTES_MAX)  # a body is allowed and ignored
        name = request.path_params["name"]
        terms = await self._terms(name)
        try:
            held, recovered = await asyncio.to_thread(
                self._watch.beat, name, terms, source
            )
        except OtherSource as other:
            raise _of_another(name, other.owner) from other
        if held.owes is not None:
            self._watch.wake()
        answer = {
            "name": name,
            "heard_at": held.last_beat_at,
            "expected_by": held.due_at,
            "recovered": recovered,
        }
        return json_answer(answer, HTTPStatus.ACCEPTED)

    async def _all(self, request: Request) -> Response:
        own = await self._source_asking(request)
        await self._in_force.known()
        newest = self._in_force.newest()
        held = {b.name: b for b in await asyncio.to_thread(self._watch.listed)}
        rules = newest[1].heartbeats if newest else {}
        items = [shown(name, rules[name], held.get(name)) for name in rules]
        seen = [item for item in items if own in (None, item["source"])]
        return json_answer({"items": seen})

    async def _one(self, request: Request) -> Response:
        own = await self._source_asking(request)
        name = request.path_params["name"]
        terms = await self._terms(name)
        held = {b.name: b for b in await asyncio.to_thread(self._watch.listed)}
        item = shown(name, terms.heartbeats[name], held.get(name))
        if own not in (None, item["source"]):
            raise _of_another(name, item["source"])
        return json_answer(item)

    async def _source_asking(self, request: Request) -> str | None:
        """Return the calling source, or None for people; `HttpError` 403 for others."""
        return seen_by(await self._gate.caller(request, bearer(request)))

    async def _terms(self, name: str) -> HeartbeatTerms:
        """Return the policy with this heartbeat; raise `HttpError` 404 if unknown."""
        await self._in_force.known()
        newest = self._in_force.newest()
        if newest is None or name not in newest[1].heartbeats:
            await asyncio.to_thread(self._in_force.look)  # it may be seconds old
            newest = self._in_force.newest()
        if newest is None or name not in newest[1].heartbeats:
            raise HttpError(
                404,
                f"no heartbeat `{name[:64]}` in the policy: add it under `heartbeats` "
                "and apply it",
            )
        return HeartbeatTerms(*newest)


def _of_another(name: str, owner: str | None) -> HttpError:
    return HttpError(
        403,
        f"`{name}` belongs to {owner or 'no source yet'}: it is beaten and shown with "
        "that key only; see `heartbeats` in the policy",
        code="source",
    )
