"""Warns of surveys that asked nobody, are not published, or have overdue actions.

A warning follows from the log and the clock, and is recorded once: who looks again, or
at the same time, finds it in the stream of the survey.
"""

import asyncio
from functools import partial

import structlog

from services.intake.attempts import append, decided
from services.intake.policy.store import Policies
from services.intake.survey_results.rules import Publisher, last_month, warnings
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.identifiers import survey_results_stream
from shared.domain.survey.record import SurveyRecord, replay_record
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.policies import newest_policy, policies_since
from shared.http.rounds import each_in_turn, in_rounds
from shared.surveys.results import is_anybody_asked

LOOK_SECONDS = 60
ACTOR = "system:intake"
_log = structlog.get_logger(__name__)


class SurveyWarnings:
    """Looks at the surveys of the policy in force, in rounds."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._policies = Policies(log)
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set. Never raises."""
        failed = "survey.warnings_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> None:
        await asyncio.to_thread(self.look)

    def look(self) -> int:
        """Record the warnings that are due; return how many. Blocks."""
        with self._log.transaction() as cursor:
            found = newest_policy(self._log, cursor)
        names = sorted(found[1].surveys) if found else []
        return each_in_turn(
            names, lambda name: decided(self._log, partial(self._warn, name))
        )

    def _warn(self, name: str, cursor: Cursors) -> int:
        version, policy = self._policies.current(cursor)
        if name not in policy.surveys:
            return 0
        who = Publisher(ACTOR, self._clock(), {}, policy, version)
        stream = survey_results_stream(name)
        entries = self._log.histories(cursor, [stream])
        held = replay_record(each.event for each in entries)
        happened = warnings(name, held, self._asked(cursor, name, held, who), who)
        if not happened:
            return 0
        version = entries[-1].version if entries else 0
        stored = tuple(
            self._log.stored(stream, number, event)
            for number, event in enumerate(happened, version + 1)
        )
        append(self._log, cursor, AppendUnit(stored))
        return len(happened)

    def _asked(
        self, cursor: Cursors, name: str, held: SurveyRecord, who: Publisher
    ) -> bool | None:
        """Return whether anybody was asked in the last month, None if it is not due."""
        survey = who.survey(name)
        if survey.audience != "users" or survey.publish != "monthly":
            return None
        start, end = last_month(who.at, who.zone)
        if ("not_asked", start, None) in held.warnings:
            return False
        first = next(iter(policies_since(self._log, cursor, start)), None)
        if first is None or first.since > start or name not in first.policy.surveys:
            return None
        return is_anybody_asked(cursor, name, (start, end))
