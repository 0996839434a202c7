"""Processes commands about interventions: read, decide, append, answer. Blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from services.intake.attempts import append, decided, journalled, recorded_before
from services.intake.interventions.rules import (
    Interventions,
    declared,
    replay,
    short_rests,
    withdrawn,
)
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.domain.commands.intervention import (
    DeclareIntervention,
    InterventionAnswer,
    InterventionCommand,
    WithdrawIntervention,
)
from shared.domain.events import InterventionEvent, is_intervention
from shared.domain.identifiers import incident_stream, interventions_stream
from shared.domain.refusal import Refused
from shared.eventlog.append import (
    AppendUnit,
)
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.messaging.commands import CommandRequest


@dataclass(frozen=True)
class InterventionDesk:
    """Answers commands about interventions."""

    log: EventLog
    clock: Clock

    def take(self, request: CommandRequest[Any]) -> InterventionAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        note = journalled(request, request.body.person, self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> InterventionAnswer:
        command: InterventionCommand = request.body
        stream = interventions_stream(command.person)
        entries = self.log.histories(cursor, [stream])
        events = [each.event for each in entries if is_intervention(each.event)]
        version = entries[-1].version if entries else 0
        held = replay(events)
        before = recorded_before(cursor, request.command_id, _digest(request))
        if before is not None:
            return _answer(command, "repeated", held, events, [*before])
        happened = self._decided(cursor, command, held, version, request.actor)
        after = [*events, *happened]
        if not happened:
            return _answer(command, "already", held, after, [])
        positions = self._append(cursor, request, stream, version, happened)
        return _answer(command, "recorded", replay(after), after, positions)

    def _decided(
        self,
        cursor: Cursors,
        command: InterventionCommand,
        held: Interventions,
        version: int,
        actor: str,
    ) -> Sequence[InterventionEvent]:
        match command:
            case DeclareIntervention():
                happened = declared(command, held, version, actor, self.clock())
                if command.incident is not None:
                    _require_incident(cursor, command.incident)
                return happened
            case WithdrawIntervention():
                return withdrawn(command, held, actor, self.clock())
            case _:
                assert_never(command)

    def _append(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        stream: str,
        version: int,
        happened: Sequence[InterventionEvent],
    ) -> list[int]:
        stored = tuple(
            self.log.stored(stream, number, event, request.command_id)
            for number, event in enumerate(happened, version + 1)
        )
        unit = AppendUnit(stored, request.command_id, _digest(request))
        return [*append(self.log, cursor, unit)]


def _require_incident(cursor: Cursors, incident: str) -> None:
    stream = incident_stream(incident)
    if not versions(cursor, [stream])[stream]:
        raise Refused(f"there is no incident {incident}", "unknown_incident")


def _answer(
    command: InterventionCommand,
    outcome: str,
    held: Interventions,
    events: Sequence[InterventionEvent],
    positions: list[int],
) -> InterventionAnswer:
    match command:
        case DeclareIntervention(start=start, end=end):
            ids = [id_ for id_, e in held.items() if (e.start, e.end) == (start, end)]
            named = ids[0] if ids else events[-1].intervention
        case WithdrawIntervention(intervention=named):
            pass
        case _:
            assert_never(command)
    return InterventionAnswer.model_validate(
        {
            "outcome": outcome,
            "person": command.person,
            "intervention": named,
            "version": len(events),
            "positions": positions,
            "short_rest_after": short_rests(held),
        }
    )


def _digest(request: CommandRequest[Any]) -> bytes:
    return digest_of("person", request.body.verb, request.body)
