"""Computes when a clock next warns, is breached, or has an unanswered request."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from services.sla_watcher.clocks.arm import on
from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.extensions.expiry import awaited, unanswered
from shared.domain.events import SlaEvent
from shared.domain.events.sla import SlaBreached, SlaWarned
from shared.domain.sla import Clock, Extension, Mark, unsaid
from shared.domain.working_time import Hours, due, hours_of, last_instant

_SECOND = timedelta(seconds=1)


class ClockMoment(NamedTuple):
    """An event that is true from `since` on and can be known at `fires_at`."""

    fires_at: datetime
    since: datetime
    clock: Clock
    mark: Mark | None
    """The point at which the desk is warned; None for a breach."""
    extension: Extension | None = None
    """Or the longer delay that nobody has answered."""


def next_moment(case: Case, policy_of: PolicyOf) -> ClockMoment | None:
    """Return the earliest coming moment of all clocks."""
    moments = [moment for clock in case.clocks for moment in _moments(clock, policy_of)]
    moments += [
        ClockMoment(by, by, clock, None, extension)
        for by, clock, extension in awaited(case)
    ]
    return min(moments, key=lambda moment: moment[:2]) if moments else None


def told(case: Case, moment: ClockMoment, at: datetime) -> SlaEvent:
    """Return the event of a moment."""
    clock, mark = moment.clock, moment.mark
    if moment.extension is not None:
        return unanswered(case, clock, moment.extension, at)
    common = on(case, clock.name, at)
    if clock.due_at is None:
        raise ValueError("a clock that stands has no due instant")
    if mark is not None:
        offset = mark.offset or 0
        return SlaWarned(
            **common,
            percent=mark.percent,
            before_seconds=-offset if offset < 0 else None,
            after_seconds=offset if offset > 0 else None,
            warned_at=moment.since,
            due_at=clock.due_at,
            retargets=clock.retargets or None,
        )
    return SlaBreached(
        **common,
        contract=clock.contract,
        seconds=clock.seconds,
        due_at=clock.due_at,
        breached_at=moment.since,
    )


def _moments(clock: Clock, policy_of: PolicyOf) -> Iterator[ClockMoment]:
    late = clock.breached_at is not None and clock.measures
    if clock.standing_since is not None or not (clock.is_open or late):
        return
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    if late:
        yield from _warnings(clock, hours, late=True)
        return
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    last = last_instant(hours, clock.started_at, clock.seconds, pauses)
    breach = max(last, clock.set_at)
    # At its last instant a promise is still kept; a second later it is broken.
    yield ClockMoment(max(last + _SECOND, clock.set_at), breach, clock, None)
    for moment in _warnings(clock, hours, late=False):
        if moment.since < breach:
            yield moment


def _warnings(clock: Clock, hours: Hours, *, late: bool) -> Iterator[ClockMoment]:
    """Yield the coming warnings, before the breach or (`late`) after it."""
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    for mark, seconds in unsaid(clock):
        if mark.is_late is not late:
            continue
        try:
            at = due(hours, clock.started_at, seconds, pauses)
        except ValueError:  # the calendar has no such open hours within a century
            continue
        since = max(at, clock.set_at, clock.breached_at or clock.set_at)
        yield ClockMoment(since, since, clock, mark)
