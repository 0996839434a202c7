"""Processes commands about surveys as a whole: read, decide, append, answer. Blocks."""

from dataclasses import dataclass
from typing import Any, assert_never

from services.intake.attempts import append, decided, journalled, recorded_before
from services.intake.policy.store import Policies
from services.intake.survey_results import rules
from services.intake.survey_results.rules import Publisher
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.domain.commands.survey import (
    CompleteSurveyAction,
    OpenSurveyAction,
    PublishSurvey,
    SurveyCommand,
    SurveyRecordAnswer,
)
from shared.domain.events.survey.results import SurveyResultEvent
from shared.domain.identifiers import survey_results_stream
from shared.domain.refusal import Refused
from shared.domain.survey.record import SurveyRecord, replay_record
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.surveys.results import TooManyAnswers, results_in


@dataclass(frozen=True)
class SurveyResultsDesk:
    """Publishes results, and opens and completes actions."""

    log: EventLog
    policies: Policies
    clock: Clock

    def take(self, request: CommandRequest[Any]) -> SurveyRecordAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        note = journalled(request, request.body.survey, self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> SurveyRecordAnswer:
        command: SurveyCommand = request.body
        stream = survey_results_stream(command.survey)
        entries = self.log.histories(cursor, [stream])
        version = entries[-1].version if entries else 0
        digest = digest_of(command.aggregate, command.verb, command)
        before = recorded_before(cursor, request.command_id, digest)
        if before is not None:
            return _answer(command, "repeated", version, [*before])
        held = replay_record(each.event for each in entries)
        event = self._decided(cursor, command, held, self._publisher(cursor, request))
        if event is None:
            return _answer(command, "already", version, [])
        stored = self.log.stored(stream, version + 1, event, request.command_id)
        unit = AppendUnit((stored,), request.command_id, digest)
        positions = append(self.log, cursor, unit)
        action = getattr(event, "action", None)
        return _answer(command, "recorded", version + 1, [*positions], action)

    def _publisher(self, cursor: Cursors, request: CommandRequest[Any]) -> Publisher:
        rights = {scope: request.limits.get(scope) for scope in request.scopes}
        version, policy = self.policies.current(cursor)
        return Publisher(request.actor, self.clock(), rights, policy, version)

    def _decided(
        self,
        cursor: Cursors,
        command: SurveyCommand,
        held: SurveyRecord,
        who: Publisher,
    ) -> SurveyResultEvent | None:
        match command:
            case PublishSurvey():
                period = rules.period_of(command, who)
                least = who.survey(command.survey).min_answers
                try:
                    found = results_in(self.log, cursor, command.survey, period, least)
                except TooManyAnswers as error:
                    raise Refused(
                        f"this period has {error}: publish a shorter one", "invalid"
                    ) from error
                return rules.published(command, held, found, who)
            case OpenSurveyAction():
                return rules.opened(command, held, who)
            case CompleteSurveyAction():
                return rules.done(command, held, who)
            case _:
                assert_never(command)


def _answer(
    command: SurveyCommand,
    outcome: str,
    version: int,
    positions: list[int],
    action: int | None = None,
) -> SurveyRecordAnswer:
    return SurveyRecordAnswer.model_validate(
        {
            "outcome": outcome,
            "survey": command.survey,
            "action": action or getattr(command, "action", None),
            "version": version,
            "positions": positions,
        }
    )
