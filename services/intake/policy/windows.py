"""Maintenance: when a service is in it, and the rules for announcing a window. Pure.

Windows recur by the policy, or are announced once. The occurrences of a recurrence rule
are computed once for each calendar day, not for each signal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Instant, Reason
from shared.domain.events import MaintenanceEvent
from shared.domain.events.administration import (
    MaintenanceAnnounced,
    MaintenanceCancelled,
)
from shared.domain.events.event import Actor
from shared.domain.on_call import first_instant
from shared.domain.policy.clause import Name
from shared.domain.policy.contracts import Maintenance
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Duration
from shared.domain.refusal import Refused, require_in_policy

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
        for start in (first_instant(local, zone) for local in starts)
    )
    return tuple(span for span in spans if span[0] < end and span[1] > begin)


@dataclass(frozen=True, slots=True)
class Recurring:
    """A window of the policy, with its present or next occurrence."""

    window: str
    service: str
    start: datetime
    until: datetime


def upcoming(clauses: Mapping[str, Maintenance], now: datetime) -> list[Recurring]:
    """Return the present or next occurrence of each window of a policy, by its start.

    Leaves out those without one in the next year.
    """
    found: list[Recurring] = []
    for name, clause in clauses.items():
        if span := _next_occurrence(clause, now):
            found.append(Recurring(name, clause.service, *span))
    return sorted(found, key=lambda each: (each.start, each.window))


def _next_occurrence(
    clause: Maintenance, now: datetime
) -> tuple[datetime, datetime] | None:
    zone = ZoneInfo(clause.timezone)
    local = now.astimezone(zone).replace(tzinfo=None)
    earliest, latest = local - clause.duration - _A_DAY, local + AHEAD
    starts: Iterable[datetime] = [clause.start]
    if clause.rrule is not None:
        rule = rrulestr(clause.rrule, dtstart=clause.start, ignoretz=True)
        starts = rule.xafter(earliest, inc=True)
    for start in starts:
        if start > latest:
            return None
        begins = first_instant(start, zone)
        if begins + clause.duration > now:
            return begins, begins + clause.duration
    return None


LONGEST = timedelta(days=31)
"""The longest window: anything longer is no longer maintenance."""
AHEAD = timedelta(days=366)
REMEMBERED = timedelta(days=31)
"""How long after its end a window is still considered."""


class Announce(BaseModel):
    """The body of an announcement: until `end`, or for `duration`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Name
    start: Instant | None = None
    """Default: now."""
    end: Instant | None = None
    duration: Duration | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.duration is None):
            raise PydanticCustomError(
                "end", "say when it ends: either `end` or `duration`"
            )
        return self


class Withdraw(BaseModel):
    """The body of a cancellation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """Announced maintenance; `cancelled_at` is set if it was cancelled."""

    window: str
    service: str
    start: datetime
    until: datetime
    reason: str
    by: Actor
    announced_at: datetime
    cancelled_at: datetime | None = None


Book = Mapping[str, Announced]


def window_ref(number: int) -> str:
    """Return the reference of the window announced by the event of this version."""
    return f"MNT-{number:06d}"


def book(history: Iterable[MaintenanceEvent]) -> Book:
    """Return all announced windows by reference."""
    held: dict[str, Announced] = {}
    for event in history:
        match event:
            case MaintenanceAnnounced():
                held[event.window] = Announced(
                    event.window,
                    event.service,
                    event.start,
                    event.until,
                    event.reason,
                    event.by,
                    event.at,
                )
            case MaintenanceCancelled(window=ref, at=at):
                held[ref] = replace(held[ref], cancelled_at=at)
    return held


def windows(announced: Book) -> list[tuple[str, Window]]:
    """Return the windows that suppress signals, each with its service."""
    latest = max((each.announced_at for each in announced.values()), default=None)
    return [
        (each.service, Window(each.window, each.start, each.until))
        for each in announced.values()
        if each.cancelled_at is None
        and latest is not None
        and each.until > latest - REMEMBERED
    ]


def announced(
    command: Announce, ref: str, at: datetime, by: Actor, policy: Policy
) -> MaintenanceAnnounced:
    """Return the announcement; raises `Refused` if it is not possible."""
    require_in_policy("service", command.service, policy.services)
    start = command.start or at
    until = command.end or start + (command.duration or timedelta())
    if until <= start:
        raise Refused("it ends before it starts: correct `end`", "invalid")
    if until <= at:
        raise Refused("it is over already: nothing can be announced of it", "invalid")
    if until - start > LONGEST:
        raise Refused(f"it lasts more than {LONGEST.days} days: shorten it", "invalid")
    if start - at > AHEAD:
        raise Refused(f"it is more than {AHEAD.days} days ahead: wait", "invalid")
    return MaintenanceAnnounced(
        at=at,
        by=by,
        whose=by,
        window=ref,
        service=command.service,
        start=start,
        until=until,
        reason=command.reason,
    )


def cancelled(
    command: Withdraw, ref: str, held: Book, at: datetime, by: Actor
) -> MaintenanceCancelled | None:
    """Return the cancellation, or None if it is cancelled already."""
    if ref not in held:
        raise Refused(f"there is no maintenance {ref}", "unknown_incident")
    found = held[ref]
    if found.cancelled_at is not None:
        return None
    if found.until <= at:
        raise Refused(f"{ref} is over: there is nothing to cancel", "state")
    return MaintenanceCancelled(
        at=at, by=by, whose=by, window=ref, reason=command.reason
    )
