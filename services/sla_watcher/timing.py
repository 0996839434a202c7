"""When a clock warns, is breached or not answered about, if nothing happens before."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from services.sla_watcher.case import Case, PolicyOf
from services.sla_watcher.lapsing import awaited, unanswered
from services.sla_watcher.promising import on
from shared.events import SlaEvent
from shared.events.sla import SlaBreached, SlaWarned
from shared.sla import Clock, Extension, State
from shared.working_time import due, hours_of, last_instant

_SECOND = timedelta(seconds=1)


class Moment(NamedTuple):
    """What is true from `since` on and can be known at `fires_at`."""

    fires_at: datetime
    since: datetime
    clock: Clock
    percent: int | None
    """The share that is consumed; None where it is more than all."""
    extension: Extension | None = None
    """Or the longer delay that nobody has answered."""


def next_moment(case: Case, policy_of: PolicyOf) -> Moment | None:
    """Return the first moment ahead of all clocks."""
    moments = [moment for clock in case.clocks for moment in _moments(clock, policy_of)]
    moments += [
        Moment(by, by, clock, None, extension) for by, clock, extension in awaited(case)
    ]
    return min(moments, key=lambda moment: moment[:2]) if moments else None


def told(case: Case, moment: Moment, at: datetime) -> SlaEvent:
    """Return the event that says so."""
    clock = moment.clock
    if moment.extension is not None:
        return unanswered(case, clock, moment.extension, at)
    common = on(case, clock.name, at)
    if clock.due_at is None:
        raise ValueError("a clock that stands has no due instant")
    if moment.percent is not None:
        return SlaWarned(
            **common,
            percent=moment.percent,
            warned_at=moment.since,
            due_at=clock.due_at,
        )
    return SlaBreached(
        **common,
        contract=clock.contract,
        seconds=clock.seconds,
        due_at=clock.due_at,
        breached_at=moment.since,
    )


def _moments(clock: Clock, policy_of: PolicyOf) -> Iterator[Moment]:
    if clock.state is not State.RUNNING:
        return
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    last = last_instant(hours, clock.started_at, clock.seconds, pauses)
    breach = max(last, clock.set_at)
    # At its last instant a promise is still kept; a second later it is not.
    yield Moment(max(last + _SECOND, clock.set_at), breach, clock, None)
    for percent in clock.warn:
        if percent in clock.warned:
            continue
        share = clock.seconds * percent // 100
        warns = due(hours, clock.started_at, share, pauses)
        since = max(warns, clock.set_at)
        if since < breach:
            yield Moment(since, since, clock, percent)
