"""An incident as its own page shows it: the state its events add up to."""

from typing import Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.generations import AsOf
from shared.events.incident import Origin, PersonId, SignalState
from shared.events.incident_ties import Relation
from shared.incident import Incident, Status
from shared.policy.scales import Impact, Priority, Urgency
from shared.policy.targets import PauseReason
from shared.references import IncidentRef


class PauseView(Answer):
    """Whom the desk waits for, since when, and what the user was asked."""

    reason: PauseReason
    since: AwareDatetime
    question: str | None


class LinkView(Answer):
    """What the incident has to do with another record."""

    relation: Relation
    target: str


class IncidentView(Answer):
    """An incident. `version` goes into `If-Match`; it also stands in `ETag`."""

    ref: IncidentRef
    version: int
    status: Status
    title: str
    origin: Origin
    service: str
    category: str | None
    client: str | None
    impact: Impact
    urgency: Urgency
    priority: Priority
    override: bool
    """The priority was set by hand, not by the matrix."""
    classified_by: str | None
    team: str
    assignee: PersonId | None
    reporter: PersonId | None
    reporters: list[PersonId]
    """Everybody who reported it or an incident merged into it."""
    opened_at: AwareDatetime
    reported_at: AwareDatetime
    cycle: int
    acknowledged_by: str | None
    acknowledged_at: AwareDatetime | None
    pause: PauseView | None
    last_message: str | None
    restored_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None
    signals: dict[str, SignalState]
    """Its signals by key, and how they stand."""
    source_acknowledged: list[str]
    links: list[LinkView]
    merged_into: IncidentRef | None
    absorbed: list[IncidentRef]
    split_into: list[IncidentRef]
    as_of: AsOfAnswer

    @classmethod
    def of(cls, incident: Incident, version: int, known: AsOf) -> Self:
        """Return the view of a state; what has no order is sorted."""
        state = {
            **incident.__dict__,
            "version": version,
            "reporters": sorted(incident.reporters),
            "signals": dict(sorted(incident.signals.items())),
            "source_acknowledged": sorted(incident.source_acknowledged),
            "links": [
                {"relation": relation, "target": target}
                for relation, target in sorted(incident.links)
            ],
            "absorbed": sorted(incident.absorbed),
            "split_into": sorted(incident.split_into),
            "as_of": known,
        }
        return cls.model_validate(state)
