"""Processes answers to surveys: read, decide, append, answer. Blocks."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.anonymous_answers.rules import OWNER, SHUFFLE, Shuffle, with_answer
from services.intake.anonymous_answers.store import (
    PoolFull,
    lock_pool,
    mark_used,
    write_pool,
)
from services.intake.attempts import append, decided, journalled, too_busy
from services.intake.surveys.rules import accepted, answer, invited
from shared.clock import Clock
from shared.commands.refusals import answer_to
from shared.database.cursors import Cursors
from shared.domain.commands.survey import AnswerSurvey, SurveyAnswer
from shared.domain.events import is_survey_event
from shared.domain.identifiers import survey_stream
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import Question
from shared.domain.refusal import Refused
from shared.domain.survey.invitation import Invitation, replay_survey
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.messaging.commands import CommandRequest


class SurveyDesk:
    """Takes the answers of users and clients to surveys."""

    def __init__(self, log: EventLog, clock: Clock, shuffle: Shuffle = SHUFFLE) -> None:
        self._log = log
        self._clock = clock
        self._shuffle = shuffle
        self._policies = PolicyVersions(log)

    def take(self, request: CommandRequest[Any]) -> SurveyAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        self._log.vault.prepare(OWNER)
        note = journalled(request, request.body.invitation, self._clock)
        return decided(self._log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(self, cursor: Cursors, request: CommandRequest[Any]) -> SurveyAnswer:
        command: AnswerSurvey = request.body
        stream = survey_stream(command.invitation)
        entries = self._log.histories(cursor, [stream])
        held = replay_survey(e.event for e in entries if is_survey_event(e.event))
        version = entries[-1].version if entries else 0
        if held is not None and held.is_anonymous:
            is_new = self._pool(cursor, held, request)
            outcome = "recorded" if is_new else "already"
            return _answer(outcome, command, version, ())
        questions = self._questions(held)
        event = answer(held, questions, command, request.actor, self._clock())
        if event is None:
            return _answer("already", command, version, ())
        stored = self._log.stored(stream, version + 1, event)
        positions = append(self._log, cursor, AppendUnit((stored,)))
        return _answer("recorded", command, version + 1, positions)

    def _pool(
        self, cursor: Cursors, asked: Invitation, request: CommandRequest[Any]
    ) -> bool:
        """Keep an anonymous answer until there are enough; False if there is one.

        The mark and the answer are written in one transaction. A refusal is not
        journalled, since it would say when somebody answered. Raises `HttpError`.
        """
        command: AnswerSurvey = request.body
        try:
            held = invited(asked, request.actor)
            pool = lock_pool(self._log, cursor, held.survey)
            if not mark_used(cursor, held):
                return False
            choices = accepted(held, self._questions(held), command, self._clock())
        except Refused as no:
            raise answer_to(no) from no
        zone = ZoneInfo(self._policy(held).desk.timezone)
        today = self._clock().astimezone(zone).date()
        comment = command.comment
        pool = with_answer(pool, held, choices, comment, today, self._shuffle)
        try:
            write_pool(self._log, cursor, held.survey, pool)
        except PoolFull as error:
            raise too_busy() from error
        return True

    def _questions(self, held: Invitation | None) -> Sequence[Question]:
        """Return the questions as they were asked, whatever the policy says now."""
        if held is None:
            return ()
        return self._policy(held).surveys[held.survey].questions[held.version]

    def _policy(self, held: Invitation) -> Policy:
        return self._policies(held.policy)


def _answer(
    outcome: str, command: AnswerSurvey, version: int, positions: Sequence[int]
) -> SurveyAnswer:
    return SurveyAnswer.model_validate(
        {
            "outcome": outcome,
            "invitation": command.invitation,
            "version": version,
            "positions": [*positions],
        }
    )
