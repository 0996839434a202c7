"""`GET /v1/sources`: what each source did, with which keys, and what is left to it."""

import asyncio
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.activity.rows import counts_since, keys
from services.intake.activity.tally import slot_of
from services.intake.activity.view import Lately, shown
from services.intake.callers import bearer
from services.intake.gate.gate import Gate
from services.intake.in_force import InForce
from services.intake.json_answers import json_answer
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.bearer import require_scope
from shared.http.error_responses import answered
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import READERS

SHOWN_MAX = 1_000
"""Sources in one answer, by name."""


class SourceDoors:
    """Shows sources to people, and to each source itself."""

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
        lately = Lately({}, {}, ())
        if "\x00" not in name:  # PostgreSQL knows no such text, and no name has it
            lately = await asyncio.to_thread(self._lately, name)
        if self._in_force.source(name) is None and name not in lately.names():
            raise HttpError(
                404, f"no source `{name[:128]}`: `GET /v1/sources` has all of them"
            )
        return json_answer(self._shown(name, lately))

    def _shown(self, name: str, lately: Lately) -> object:
        limits = self._gate.admission.limits(name)
        source = self._in_force.source(name)
        return shown(name, source, lately, limits, self._clock())

    def _lately(self, only: str | None) -> Lately:
        now = self._clock()
        with self._log.transaction() as cursor:
            return Lately(
                counts_since(cursor, slot_of(now - timedelta(hours=1)), only),
                counts_since(cursor, slot_of(now - timedelta(hours=24)), only),
                tuple(keys(cursor, only)),
            )


def _require_reader(caller: Caller, name: str) -> None:
    if caller.actor != f"source:{name}":
        require_scope(caller, *READERS)
