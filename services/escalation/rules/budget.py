"""Computes when breaches, overruns or downtime use up the budget of a service. Pure.

A service is down while it has a P1 that is not restored.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from shared.domain import events
from shared.domain.policy.escalation import BreachBudget
from shared.domain.working_time import Hours, account
from shared.eventlog.entry import Entry

Cause = Literal["breaches", "overrun", "downtime"]
NONE = timedelta(0)


class Broken(NamedTuple):
    """A broken TTR of a service that no hand-over of the service has counted yet."""

    breached_at: datetime
    incident: str
    overrun_seconds: int | None
    """Working time too late; None while that is not known."""


class Crossing(NamedTuple):
    """What used up a budget: the breaches, oldest first, and the P1 incidents.

    `outages` are the P1 incidents during which the service was down for `downtime`.
    """

    service: str
    counted: tuple[Broken, ...]
    downtime: timedelta = NONE
    outages: tuple[str, ...] = ()


def used_up(
    held: Sequence[Broken], at: datetime, budget: BreachBudget, down: timedelta = NONE
) -> Sequence[Broken] | None:
    """Return the breaches counted if the budget is used up at `at`, else None.

    A breach exactly as old as the window no longer counts. `down` is the downtime of
    the service in the window.
    """
    counted = [each for each in held if each.breached_at > at - budget.window]
    return sorted(counted) if cause_of(counted, budget, down) else None


def cause_of(
    counted: Sequence[Broken], budget: BreachBudget, down: timedelta = NONE
) -> Cause | None:
    """Return which part of the budget is used up, None if none is."""
    if budget.breaches is not None and len(counted) >= budget.breaches:
        return "breaches"
    if budget.overrun is not None and late(counted) > budget.overrun:
        return "overrun"
    if budget.downtime is not None and down > budget.downtime:
        return "downtime"
    return None


def late(counted: Sequence[Broken]) -> timedelta:
    """Return the total working time by which they were late, as far as it is known."""
    return timedelta(seconds=overrun_of(counted))


def overrun_of(counted: Sequence[Broken]) -> int:
    """Return the total overrun in seconds."""
    return sum(each.overrun_seconds or 0 for each in counted)


Span = tuple[datetime, datetime]


class Outage(NamedTuple):
    """The time in which a service was down; `ended_at` is None while it still is."""

    began_at: datetime
    ended_at: datetime | None = None


class Downtime(NamedTuple):
    """An outage of an incident, and the hours in which it counts."""

    incident: str
    outage: Outage
    hours: Hours


def outages(
    history: Iterable[Entry],
) -> Sequence[Outage]:
    """Return the outages of a P1, by recording time; empty for any other incident.

    The current priority applies to the whole history. A cancelled incident was not an
    outage; a merged one continues as the incident that it was merged into.
    """
    found: list[Outage] = []
    priority, is_back = "", False
    for entry in history:
        match entry.event:
            case events.IncidentOpened() | events.IncidentClassified() as event:
                priority = event.priority
                if isinstance(event, events.IncidentOpened):
                    found = [Outage(entry.recorded_at)]
            case events.IncidentRestored():
                is_back = True
                found = _ended(found, entry.recorded_at)
            case events.IncidentRelapsed() | events.IncidentReopened():
                is_back = False
                found = _begun(found, entry.recorded_at)
            case events.IncidentMerged():
                found = _ended(found, entry.recorded_at)
            case events.IncidentUnmerged() if not is_back:
                found = _begun(found, entry.recorded_at)
            case events.IncidentCancelled() | events.IncidentRedirected():
                found = []
            case _:
                pass
    return found if priority == "p1" else ()


def together(downs: Iterable[Downtime], since: datetime, until: datetime) -> timedelta:
    """Return the time in [since, until) in which a service was down during its hours.

    Overlapping outages count once.
    """
    spans = sorted(span for down in downs for span in _open(down, since, until))
    total, reached = timedelta(0), since
    for begins, ends in spans:
        total += max(ends - max(begins, reached), timedelta(0))
        reached = max(reached, ends)
    return total


def _open(down: Downtime, since: datetime, until: datetime) -> Iterator[Span]:
    begins = max(down.outage.began_at, since)
    ends = min(down.outage.ended_at or until, until)
    if begins < ends:
        for window in account(down.hours, begins, ends):
            yield window.begins, window.ends


def _begun(found: Sequence[Outage], at: datetime) -> list[Outage]:
    if found and found[-1].ended_at is None:
        return list(found)
    return [*found, Outage(at)]


def _ended(found: Sequence[Outage], at: datetime) -> list[Outage]:
    if not found or found[-1].ended_at is not None:
        return list(found)
    return [*found[:-1], found[-1]._replace(ended_at=at)]
