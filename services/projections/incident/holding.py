"""Whose turn it was: the support levels an incident came to, and whom it waited for."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events.escalation import Escalated, EscalationReturned
from shared.domain.events.incident import (
    IncidentPaused,
    IncidentReopened,
    IncidentResumed,
)
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla import LevelEntry, Wait, whole
from shared.domain.sla.consumption import LOWEST
from shared.eventlog.entry import Entry


def turns(past: Sequence[Entry]) -> Sequence[LevelEntry]:
    """Return which support level had it since when, after the first; as queues do.

    Reopened, it begins with the lowest again.
    """
    found: list[LevelEntry] = []
    for entry in past:
        match entry.event:
            case Escalated() as event:
                _begin(found, event.to_level, whole(event.escalated_at))
            case EscalationReturned() as event:
                _begin(found, event.to_level, whole(event.returned_at))
            case IncidentReopened():
                _begin(found, LOWEST, whole(entry.recorded_at))
            case _:
                pass
    return found


def _begin(found: list[LevelEntry], level: SupportLevel, since: datetime) -> None:
    # A late watcher of ours may say the instant of before something that came first.
    before = [turn.since for turn in found[-1:]]
    found.append(LevelEntry(level, max([since, *before])))


def waits(past: Sequence[Entry]) -> Sequence[Wait]:
    """Return when it waited for whom, by the instants that clocks stand and go on."""
    found: list[Wait] = []
    for entry in past:
        if not isinstance(entry.event, IncidentPaused | IncidentResumed):
            continue
        at = whole(entry.recorded_at)
        if found and found[-1].until is None:
            found[-1] = found[-1]._replace(until=at)
        if isinstance(entry.event, IncidentPaused):
            found.append(Wait(entry.event.reason, at))
    return found
