"""`GET /v1/sources`: recent activity of sources, their keys and remaining limits."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.gate.activity import slot_of
from services.intake.gate.activity_store import KINDS, KeyUse, Kind, counts_since, keys
from services.intake.gate.admission import Allowance
from services.intake.gate.api_keys import bearer
from services.intake.gate.gate import Gate
from services.intake.policy.store import InForce
from shared.clock import Clock
from shared.domain.policy.sources import Monitor, Source
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import READERS

FAILED: tuple[Kind, ...] = ("rejected", "quarantined", "refused", "unauthorised")


@dataclass(frozen=True, slots=True)
class RecentActivity:
    """What all sources did in the last hour and the last day, and their keys."""

    hour: Mapping[str, Mapping[str, int]]
    day: Mapping[str, Mapping[str, int]]
    keys: tuple[KeyUse, ...]

    def names(self) -> set[str]:
        """Return the sources that were active or have a key."""
        return {*self.hour, *self.day, *(key.source for key in self.keys)}


def shown(
    name: str,
    source: Source | None,
    lately: RecentActivity,
    limits: Iterable[Allowance],
    now: datetime,
) -> dict[str, Any]:
    """Return a source as shown by the API; `type` is null if the policy lacks it."""
    own = [key for key in lately.keys if key.source == name]
    seen = [key.last_used for key in own if key.last_used]
    return {
        "name": name,
        "type": source.type if source else None,
        "last_seen": max(seen, default=None),
        "last_hour": _window(lately.hour.get(name, {})),
        "last_day": _window(lately.day.get(name, {})),
        "keys": [_key(key, now) for key in own],
        "signed": isinstance(source, Monitor) and source.signature is not None,
        "allow_from": list(source.allow_from) if isinstance(source, Monitor) else [],
        "limits": [
            {
                "kind": limit.kind,
                "limit": limit.limit,
                "remaining": limit.remaining,
                "reset_seconds": limit.reset,
            }
            for limit in limits
        ],
    }


def _window(counts: Mapping[str, int]) -> dict[str, Any]:
    numbers: dict[Kind, int] = {kind: counts.get(kind, 0) for kind in KINDS}
    everything = sum(numbers.values())
    failed = sum(numbers[kind] for kind in FAILED)
    rate = round(failed / everything, 4) if everything else None
    return numbers | {"error_rate": rate}


def _key(key: KeyUse, now: datetime) -> dict[str, Any]:
    state = "living"
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None and key.expires_at <= now:
        state = "expired"
    return {
        "id": key.key_id,
        "label": key.label or None,
        "state": state,
        "created_at": key.created_at,
        "last_used": key.last_used,
    }


SHOWN_MAX = 1_000
"""Sources in one answer, ordered by name."""


class SourceEndpoints:
    """Shows all sources to people, and each source to itself."""

    def __init__(
        self, gate: Gate, log: EventLog, in_force: InForce, clock: Clock
    ) -> None:
        self._gate = gate
        self._log = log
        self._in_force = in_force
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/sources", answered(self._all), methods=["GET"]),
            Route("/v1/sources/{name}", answered(self._one), methods=["GET"]),
        ]

    async def _all(self, request: Request) -> Response:
        require_scope(await self._gate.caller(request, bearer(request)), *READERS)
        await self._in_force.known()
        lately = await asyncio.to_thread(self._lately, None)
        names = sorted({*lately.names(), *self._in_force.sources()})
        items = [self._shown(name, lately) for name in names[:SHOWN_MAX]]
        return json_answer({"items": items, "left_off": len(names) - len(items)})

    async def _one(self, request: Request) -> Response:
        caller = await self._gate.caller(request, bearer(request))
        name = request.path_params["name"]
        _require_reader(caller, name)
        await self._in_force.known()
        lately = RecentActivity({}, {}, ())
        if "\x00" not in name:  # PostgreSQL cannot store such a text
            lately = await asyncio.to_thread(self._lately, name)
        if self._in_force.source(name) is None and name not in lately.names():
            raise HttpError(
                404, f"no source `{name[:128]}`: `GET /v1/sources` has all of them"
            )
        return json_answer(self._shown(name, lately))

    def _shown(self, name: str, lately: RecentActivity) -> object:
        limits = self._gate.admission.limits(name)
        source = self._in_force.source(name)
        return shown(name, source, lately, limits, self._clock())

    def _lately(self, only: str | None) -> RecentActivity:
        now = self._clock()
        with self._log.transaction() as cursor:
            return RecentActivity(
                counts_since(cursor, slot_of(now - timedelta(hours=1)), only),
                counts_since(cursor, slot_of(now - timedelta(hours=24)), only),
                tuple(keys(cursor, only)),
            )


def _require_reader(caller: Caller, name: str) -> None:
    if caller.actor != f"source:{name}":
        require_scope(caller, *READERS)
