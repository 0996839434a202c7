"""One command at a time: read the case, ask the rules, record, answer. Blocks."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from psycopg import Cursor

from services.escalation.asked import asked
from services.escalation.case import Case
from services.escalation.known import Known
from services.escalation.refused import Refused, journal
from services.escalation.settling import require_read, settle
from services.escalation.streams import follows, owns
from shared.append import Misused, Repeated, recorded_commands, repeated
from shared.casework import Desk, Worker
from shared.clock import Clock
from shared.command import CommandAnswer, CommandRequest, Done
from shared.event_log import EventLog
from shared.events import AnyEvent
from shared.help_wishes import HelpWish
from shared.problem import Problem
from shared.references import incident_stream


class Commanding:
    """Answers commands about the search for help and hand-overs."""

    def __init__(
        self, log: EventLog, worker: Worker[Case, Known], clock: Clock
    ) -> None:
        self._log = log
        self._worker = worker
        self._clock = clock

    def take(self, request: CommandRequest[Any]) -> CommandAnswer:
        """Return what became of a command.

        Raises `Problem` where the answer is no, `Behind` and `StaleVersion` where it
        is to be taken again in a moment, `Unavailable`.
        """
        self._log.vault.prepare(request.actor)
        with self._log.transaction() as cursor:
            answer = self._answer(cursor, request)
        if isinstance(answer, Refused):  # journalled, so not raised before the commit
            raise answer.problem
        self._worker.changed()
        return answer

    def _answer(
        self, cursor: Cursor[tuple[Any, ...]], request: CommandRequest[Any]
    ) -> CommandAnswer | Refused:
        incident = request.incident or ""
        desk = self._worker.desk(cursor, incident)
        if (before := self._before(cursor, request, desk)) is not None:
            return before
        require_read(cursor, desk, [*follows(incident), *owns(incident)])
        at = self._clock()
        try:
            events = _decided(request, desk, at)
        except Refused as no:
            verb = request.body.verb
            journal(cursor, at, request.actor, verb, incident, no)
            return no
        for event in events:
            desk.record(event)
        desk.reach(at, at)
        if not desk.decided:
            return _answered("already", desk, [])
        digest = digest_of(request)
        made = settle(self._log, cursor, desk, request.command_id, digest)
        done: Done = "recorded" if events else "already"
        return _answered(done, desk, list(range(made.first, made.last + 1)))

    def _before(
        self,
        cursor: Cursor[tuple[Any, ...]],
        request: CommandRequest[Any],
        desk: Desk[Case, Known],
    ) -> CommandAnswer | None:
        """Return the answer to a command recorded before; None for a new one."""
        if request.command_id is None:
            return None
        known = recorded_commands(cursor, [request.command_id])
        match repeated(known, request.command_id, digest_of(request)):
            case Repeated(first, last):
                return _answered("repeated", desk, list(range(first, last + 1)))
            case Misused():
                raise Problem(
                    422,
                    "this Idempotency-Key was used for another request: choose a new "
                    "one",
                    code="idempotency_key",
                )
            case None:
                return None


def digest_of(request: CommandRequest[Any]) -> bytes:
    """Return what tells two uses of one command id apart: verb, incident and body."""
    wish: HelpWish = request.body
    body = wish.model_dump(mode="json", exclude_unset=True)
    told = [wish.aggregate, wish.verb, request.incident, body]
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()


def _decided(
    request: CommandRequest[Any], desk: Desk[Case, Known], at: datetime
) -> Sequence[AnyEvent]:
    desk.reach(at, at)
    if desk.case is None:
        raise Refused(f"there is no incident {desk.incident}", "unknown_incident")
    return asked(request.body, desk.case, request.actor, at, desk.known)


def _answered(
    outcome: Done, desk: Desk[Case, Known], positions: list[int]
) -> CommandAnswer:
    version = desk.versions.get(incident_stream(desk.incident), 0)
    return CommandAnswer(
        outcome=outcome, incident=desk.incident, version=version, positions=positions
    )
