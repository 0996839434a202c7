"""Decides when a resolved incident may be closed if its users stay silent. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from shared.domain import events
from shared.domain.grace_periods import closes_at
from shared.domain.identifiers import incident_stream
from shared.domain.incident import Incident, Status, replay
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry


@dataclass(frozen=True, slots=True)
class Silence:
    """A resolved incident without a reply; `due_at` is None if it must stay open."""

    incident: str
    cycle: int
    due_at: datetime | None


def silence(
    history: Sequence[Entry],
    notices: Iterable[Entry],
    policy_of: Callable[[int], Policy],
) -> Silence | None:
    """Return the silence to wait for, or None.

    `history` is the incident's stream, `notices` are the entries of its escalation
    stream.
    """
    incident = replay(cast("events.IncidentEvent", entry.event) for entry in history)
    if incident is None or incident.status is not Status.RESOLVED or incident.answered:
        return None
    resolved = next(e for e in reversed(history) if e.type == "incident.resolved")
    event = cast("events.IncidentResolved", resolved.event)
    due_at = None
    if not incident.reporters or _told(incident, resolved.version, notices):
        due_at = _closes_at(incident, policy_of(event.policy))
    return Silence(incident.ref, incident.cycle, due_at)


def _told(incident: Incident, version: int, notices: Iterable[Entry]) -> bool:
    """Return whether the notification of resolution was sent or has finally failed."""
    wanted: set[str] = set()
    settled: set[str] = set()
    for entry in notices:
        match entry.event:
            case (
                events.NotificationRequested(kind="resolved", audience="user") as asked
            ):
                cause = (asked.cause_stream, asked.cause_version)
                if cause == (incident_stream(incident.ref), version):
                    wanted.add(asked.key)
            case (
                events.NotificationConfirmed(key=key)
                | events.NotificationFailed(key=key)
            ):
                settled.add(key)
            case _:
                pass
    return bool(wanted) and wanted <= settled


def _closes_at(incident: Incident, policy: Policy) -> datetime | None:
    try:
        return closes_at(incident, policy)
    except ValueError:  # the calendar has no open hours: a person has to close it
        return None
