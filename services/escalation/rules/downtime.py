"""Computes how long a service was down: it had a P1 that was not restored. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.events.incident import (
    IncidentCancelled,
    IncidentClassified,
    IncidentOpened,
    IncidentRelapsed,
    IncidentReopened,
    IncidentRestored,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.working_time import Hours, account
from shared.eventlog.entry import Entry

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


def outages(  # noqa: C901 one branch a turn
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
            case IncidentOpened() | IncidentClassified() as event:
                priority = event.priority
                if isinstance(event, IncidentOpened):
                    found = [Outage(entry.recorded_at)]
            case IncidentRestored():
                is_back = True
                found = _ended(found, entry.recorded_at)
            case IncidentRelapsed() | IncidentReopened():
                is_back = False
                found = _begun(found, entry.recorded_at)
            case IncidentMerged():
                found = _ended(found, entry.recorded_at)
            case IncidentUnmerged() if not is_back:
                found = _begun(found, entry.recorded_at)
            case IncidentCancelled():
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
