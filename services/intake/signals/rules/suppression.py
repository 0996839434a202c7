"""Why signals are suppressed, and the maintenance windows that suppress them.

The occurrences of a recurrence rule are computed once for each calendar day, not for
each signal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from shared.domain.on_call import instant_of
from shared.domain.policy.contracts import Maintenance

Suppressor = Literal[
    "cancelled",
    "maintenance",
    "nothing_open",
    "older_than_recovery",
    "older_than_trigger",
    "snoozed",
    "threshold",
    "timeout",
    "transient",
]
Rule = Literal[
    "new_trouble",
    "follows_older",
    "fires_again",
    "severity_changed",
    "still_fires",
    "correlated",
    "open_after",
    "threshold",
    "maintenance_ended",
    "acknowledged",
    "noted",
    "recovered",
    "hold_down",
    "flapping",
    "timeout",
]


@dataclass(frozen=True, slots=True)
class SuppressionReason:
    """The rule or suppressor that decided, what it refers to, and an explanation.

    `until` is when it ends, if known.
    """

    code: Rule | Suppressor
    of: str | None = None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A suppressed signal. It has no title: titles may contain personal data."""

    source: str
    signal_key: str
    event_id: str | None
    received_at: datetime
    action: str
    service: str
    why: SuppressionReason
    incident: str | None


DAYS_REMEMBERED = 4_096
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance window with its name; `until` is exclusive."""

    name: str
    start: datetime
    until: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """All maintenance windows by service: those of the policy and announced ones."""

    recurring: Mapping[str, tuple[tuple[str, Maintenance], ...]]
    announced: Mapping[str, tuple[Window, ...]]

    @property
    def any(self) -> bool:
        """Whether there is any window."""
        return bool(self.recurring or self.announced)

    def covering(self, service: str, at: datetime) -> Window | None:
        """Return the window of `service` at `at`; of several, the one ending last."""
        found = [
            window
            for window in (*self._recurring(service, at), *self._once(service))
            if window.start <= at < window.until
        ]
        return max(found, key=lambda window: (window.until, window.name), default=None)

    def _recurring(self, service: str, at: datetime) -> Iterable[Window]:
        for name, clause in self.recurring.get(service, ()):
            for start, until in occurrences(clause, at.astimezone(UTC).date()):
                yield Window(name, start, until)

    def _once(self, service: str) -> Iterable[Window]:
        return self.announced.get(service, ())


NO_WINDOWS = Windows({}, {})


def windows_of(
    clauses: Mapping[str, Maintenance], announced: Iterable[tuple[str, Window]] = ()
) -> Windows:
    """Return the windows of a policy and the announced ones, each with its service."""
    recurring: dict[str, tuple[tuple[str, Maintenance], ...]] = {}
    for name, clause in clauses.items():
        recurring[clause.service] = (
            *recurring.get(clause.service, ()),
            (name, clause),
        )
    once: dict[str, tuple[Window, ...]] = {}
    for service, window in announced:
        once[service] = (*once.get(service, ()), window)
    return Windows(recurring, once)


@lru_cache(DAYS_REMEMBERED)
def occurrences(
    clause: Maintenance, day: date
) -> tuple[tuple[datetime, datetime], ...]:
    """Return start and end of a window's occurrences that overlap a day in UTC."""
    zone = ZoneInfo(clause.timezone)
    begin = datetime.combine(day, time(), UTC)
    end = begin + _A_DAY
    if clause.rrule is None:
        starts = [clause.start]
    else:
        # A zone is at most a day from UTC.
        earliest = begin.replace(tzinfo=None) - clause.duration - _A_DAY
        latest = end.replace(tzinfo=None) + _A_DAY
        rule = rrulestr(clause.rrule, dtstart=clause.start, ignoretz=True)
        starts = rule.between(earliest, latest, inc=True)
    spans = (
        (start, start + clause.duration)
        for start in (instant_of(local, zone) for local in starts)
    )
    return tuple(span for span in spans if span[0] < end and span[1] > begin)
