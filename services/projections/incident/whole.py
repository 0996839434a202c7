"""An incident and all that is about it, after some of the entries of its streams."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.projections.handovers import Handover
from services.projections.handovers import replay as replay_handover
from services.projections.incident.agreements import Wording, wording
from services.projections.incident.alert import Alert, alert
from services.projections.incident.notices import Notice, notices
from services.projections.queue.project import project
from services.projections.queue.row import QueueRow
from services.projections.service_handovers import ServiceHandover
from services.projections.service_handovers import replay as replay_service_handover
from shared.domain import incident as incidents
from shared.domain import sla
from shared.domain.events import is_incident_event, is_sla_event
from shared.domain.events.incident import IncidentContacted, IncidentOpened
from shared.domain.incident import Incident
from shared.domain.sla import Clock
from shared.eventlog.entry import Entry


@dataclass(frozen=True)
class Whole:
    """What the streams about an incident add up to; `version` is of its own stream."""

    incident: Incident
    version: int
    row: QueueRow
    """As the queue has it: who is at work, what is due."""
    owner_team: str
    """The desk that took it on record and stays its owner."""
    alert: Alert
    """What the source of its first alert said."""
    clocks: tuple[Clock, ...]
    contacts: tuple[IncidentContacted, ...]
    notices: tuple[Notice, ...]
    handover: Handover | None
    service_handover: ServiceHandover | None
    """Of its service, where its breach was one too many."""
    wording: Wording
    """What people wrote about promises."""


def whole(past: Sequence[Entry]) -> Whole | None:
    """Return the incident after `past`, in the order of the log; None if never opened.

    Raises `BrokenHistory` where the events cannot have happened in that order.
    """
    row: QueueRow | None = None
    for entry in past:
        row = project(row, entry)
    own = [event for entry in past if is_incident_event(event := entry.event)]
    incident = incidents.replay(own)
    if incident is None or row is None:
        return None
    opening = next(e for e in own if isinstance(e, IncidentOpened))
    return Whole(
        incident=incident,
        version=row.version,
        row=row,
        owner_team=opening.team,
        alert=alert(opening),
        clocks=sla.replay(
            event for entry in past if is_sla_event(event := entry.event)
        ),
        contacts=tuple(e for e in own if isinstance(e, IncidentContacted)),
        notices=notices(past),
        handover=replay_handover(past),
        service_handover=replay_service_handover(past),
        wording=wording(past),
    )
