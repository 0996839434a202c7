"""Opens and closes surveys of clients by the clock, in rounds.

A period and all its invitations are appended in one transaction, and whether it was
opened is read from the stream: who looks again, or at the same time, asks nobody twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from services.intake.attempts import append, decided
from services.intake.client_surveys.rules import (
    closed,
    contacts,
    opened,
    period_at,
    was_opened,
)
from services.intake.surveys.invitations import can_be_asked
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.events.survey import SurveyContactInvited
from shared.domain.events.survey.results import SurveyResultEvent
from shared.domain.identifiers import survey_results_stream, survey_stream
from shared.domain.policy.surveys import ClientSurvey
from shared.domain.survey.record import replay_record
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.policies import newest_policy, policies_since
from shared.http.rounds import each_in_turn, in_rounds

LOOK_SECONDS = 60
OPEN_MAX = timedelta(days=366)
"""A period takes answers for no longer."""
_log = structlog.get_logger(__name__)


class ClientSurveys:
    """Looks at the surveys of clients of the policy in force, in rounds."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set. Never raises."""
        failed = "survey.clients_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> None:
        await asyncio.to_thread(self.look)

    def look(self) -> int:
        """Open and close what is due; return how many events. Blocks.

        A survey that fails does not hold up the others.
        """
        return each_in_turn(
            self._names(), lambda name: decided(self._log, partial(self._follow, name))
        )

    def _names(self) -> Sequence[str]:
        """Return the surveys of clients that may have an open period.

        Also those that the policy does not have any more: they are closed as announced.
        """
        with self._log.transaction() as cursor:
            recent = policies_since(self._log, cursor, self._clock() - OPEN_MAX)
        surveys = (item for each in recent for item in each.policy.surveys.items())
        return sorted({name for name, one in surveys if isinstance(one, ClientSurvey)})

    def _follow(self, name: str, cursor: Cursors) -> int:
        found = newest_policy(self._log, cursor)
        if found is None:
            return 0
        version, policy = found
        now, stream = self._clock(), survey_results_stream(name)
        entries = self._log.histories(cursor, [stream])
        held = replay_record(each.event for each in entries)
        happened: list[SurveyResultEvent] = [*closed(name, held, now)]
        invitations: Sequence[SurveyContactInvited] = ()
        survey = policy.surveys.get(name)
        if isinstance(survey, ClientSurvey) and survey.anonymous is None:
            period = period_at(survey, now, ZoneInfo(policy.desk.timezone))
            if period is not None and not was_opened(period, held):
                asked = _asked(cursor, contacts(survey, policy))
                if asked:
                    begins, invitations = opened(
                        name, survey, period, asked, version, now
                    )
                    happened.append(begins)
        if not happened:
            return 0
        at = entries[-1].version if entries else 0
        stored = [
            self._log.stored(stream, number, event)
            for number, event in enumerate(happened, at + 1)
        ]
        stored += [
            self._log.stored(survey_stream(each.invitation), 1, each)
            for each in invitations
        ]
        append(self._log, cursor, AppendUnit(tuple(stored)))
        return len(stored)


def _asked(cursor: Cursors, found: Mapping[str, str]) -> Mapping[str, str]:
    """Return the contacts who are known for certain, and can be written to."""
    return {
        person: client
        for person, client in found.items()
        if can_be_asked(cursor, person)
    }
