"""Invites users to a survey once their incident is closed, following the event log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from services.intake.auto_close.subscriber import BOOKMARK
from services.intake.surveys.rules import invitation, is_news, workers_of
from services.intake.surveys.store import asked_at, keep
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.directory import entry as directory_entry
from shared.domain import events
from shared.domain.events import is_incident_event
from shared.domain.events.survey import SurveyInvited
from shared.domain.identifiers import incident_stream, survey_stream
from shared.domain.incident import replay
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.parked_commands import unskipped
from shared.eventlog.recorder import versions
from shared.security.rights import is_removed


class SurveyInvitations:
    """Decides an invitation for each closed incident whose user is asked."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._policies = PolicyVersions(log)

    def decided(self, cursor: Cursors, entries: Sequence[Entry]) -> list[AppendUnit]:
        """Return the invitations that are appended because of `entries`.

        An incident that has an invitation gets no second one, so an event that is read
        twice changes nothing.
        """
        asked: dict[str, events.IncidentClosed] = {}
        for entry in entries:
            match entry.event:
                case SurveyInvited(person=person, at=at):
                    keep(cursor, {person: at})
                case events.IncidentClosed() as closed:
                    if is_news(closed.at, self._clock()):
                        asked[closed.incident] = closed
                case _:
                    pass
        new = self._new(cursor, asked)
        found = self._invitations(cursor, new)
        keep(cursor, {event.person: event.at for event in found})
        return [
            AppendUnit((self._log.stored(survey_stream(event.incident), 1, event),))
            for event in found
        ]

    def _new(
        self, cursor: Cursors, closed: Mapping[str, events.IncidentClosed]
    ) -> Mapping[str, events.IncidentClosed]:
        if not closed:
            return {}
        begun = versions(cursor, [survey_stream(ref) for ref in sorted(closed)])
        return {
            ref: event for ref, event in closed.items() if not begun[survey_stream(ref)]
        }

    def _invitations(
        self, cursor: Cursors, closed: Mapping[str, events.IncidentClosed]
    ) -> Sequence[SurveyInvited]:
        found: list[SurveyInvited] = []
        asked: dict[str, datetime] = {}
        for ref, event in sorted(closed.items(), key=lambda each: each[1].at):
            policy = self._policies(event.policy)
            if not policy.surveys:
                continue
            entries = [*unskipped(self._log, cursor, BOOKMARK, [incident_stream(ref)])]
            history = [e.event for e in entries if is_incident_event(e.event)]
            incident = replay(history)
            person = incident.reporter if incident else None
            if incident is None or person is None or not can_be_asked(cursor, person):
                continue
            if person not in asked:
                asked |= asked_at(cursor, [person])
            invited = invitation(
                incident,
                workers_of(history),
                asked.get(person),
                (event.policy, policy),
                self._clock(),
            )
            if invited is not None:
                found.append(invited)
                asked[person] = invited.at
        return sorted(found, key=attrgetter("incident"))


def can_be_asked(cursor: Cursors, person: str) -> bool:
    """Return whether a person is known for certain, and can be written to."""
    known = directory_entry(cursor, person)
    if known is None or not known.confirmed or known.email is None:
        return False
    return not is_removed(cursor, person)
