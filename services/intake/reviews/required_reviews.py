"""Opens the reviews that the policy requires, following the event log.

An incident is looked at when it is resolved, and when a promise turns out to have been
broken after it was: whichever of the two is read later opens the review.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.intake.policy.store import Policies
from services.intake.reviews.context import Author
from services.intake.reviews.rules import required
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.events import is_incident_event
from shared.domain.identifiers import review_stream
from shared.domain.incident import replay
from shared.domain.review.facts import required_because
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import newest_policy
from shared.eventlog.recorder import versions
from shared.reviews import history_of

NEWS = timedelta(days=3)
"""What is read later than that opens no review: a reader that begins again from the
start of the log must not open them for all incidents of the past."""
ACTOR = "system:intake"


class RequiredReviews:
    """Decides a review for each resolved incident that the policy wants reviewed."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._policies = Policies(log)

    def decided(self, cursor: Cursors, entries: Sequence[Entry]) -> list[AppendUnit]:
        """Return the reviews that are opened because of `entries`.

        An incident that has a review gets no second one, so an event that is read twice
        changes nothing.
        """
        refs = sorted(set(self._concerned(entries)))
        found = newest_policy(self._log, cursor) if refs else None
        if found is None or found[1].reviews is None:
            return []
        begun = versions(cursor, [review_stream(ref) for ref in refs])
        new = [ref for ref in refs if not begun[review_stream(ref)]]
        return [unit for ref in new for unit in self._opened(cursor, ref)]

    def _concerned(self, entries: Sequence[Entry]) -> Iterator[str]:
        now = self._clock()
        for entry in entries:
            match entry.event:
                case events.IncidentResolved() | events.SlaBreached():
                    if now - entry.recorded_at <= NEWS:
                        yield entry.event.incident
                case _:
                    pass

    def _opened(self, cursor: Cursors, ref: str) -> Iterator[AppendUnit]:
        version, policy = self._policies.current(cursor)
        history = history_of(self._log, cursor, ref)
        cause = required_because(policy, history)
        incident = replay(
            each.event
            for each in sorted(history, key=lambda each: each.position)
            if is_incident_event(each.event)
        )
        if cause is None or incident is None:
            return
        who = Author(ACTOR, self._clock(), frozenset(), policy, version, incident)
        event = required(who, cause)
        yield AppendUnit((self._log.stored(review_stream(ref), 1, event),))
