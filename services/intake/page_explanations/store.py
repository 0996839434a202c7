"""Processes questions about pages: read, decide, append, answer. Blocks."""

from dataclasses import dataclass
from typing import Any

from services.intake.attempts import append, decided, journalled, recorded_before
from services.intake.page_explanations.rules import Asker, explained
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.domain.commands.page_explanation import ExplainPages, ExplanationAnswer
from shared.domain.events.on_call_history import OnCallExplained
from shared.domain.identifiers import explanations_stream, incident_stream
from shared.domain.refusal import Refused
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.messaging.commands import CommandRequest


@dataclass(frozen=True)
class ExplanationDesk:
    """Records who asks about whose pages."""

    log: EventLog
    policies: Policies
    clock: Clock

    def take(self, request: CommandRequest[Any]) -> ExplanationAnswer:
        """Return the outcome of a question; raises `HttpError`, `Unavailable`."""
        note = journalled(request, request.body.person, self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> ExplanationAnswer:
        command: ExplainPages = request.body
        incident = _required(cursor, request.incident)
        stream = explanations_stream(command.person)
        entries = self.log.histories(cursor, [stream])
        version = entries[-1].version if entries else 0
        digest = digest_of(command.aggregate, command.verb, command)
        before = recorded_before(cursor, request.command_id, digest)
        if before is not None:
            return _answer(command, incident, "repeated", version, [*before])
        rights = {scope: request.limits.get(scope) for scope in request.scopes}
        policy = self.policies.current(cursor)[1]
        who = Asker(request.actor, self.clock(), rights, policy)
        held = [e.event for e in entries if isinstance(e.event, OnCallExplained)]
        happened = explained(command, incident, held, who)
        if not happened:
            return _answer(command, incident, "already", version, [])
        stored = tuple(
            self.log.stored(stream, number, event, request.command_id)
            for number, event in enumerate(happened, version + 1)
        )
        unit = AppendUnit(stored, request.command_id, digest)
        positions = append(self.log, cursor, unit)
        return _answer(command, incident, "recorded", version + 1, [*positions])


def _required(cursor: Cursors, incident: str | None) -> str:
    """Return the incident, which must exist. Raises `Refused`."""
    stream = incident_stream(incident or "")
    if incident is None or not versions(cursor, [stream])[stream]:
        raise Refused(f"there is no incident {incident}", "unknown_incident")
    return incident


def _answer(
    command: ExplainPages,
    incident: str,
    outcome: str,
    version: int,
    positions: list[int],
) -> ExplanationAnswer:
    return ExplanationAnswer.model_validate(
        {
            "outcome": outcome,
            "person": command.person,
            "incident": incident,
            "version": version,
            "positions": positions,
        }
    )
