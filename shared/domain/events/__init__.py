"""All event types: the union, its parser, and the class of each type."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field, TypeAdapter
from typing_extensions import TypeIs

from shared.domain.events.administration import (
    LogRestored,
    MaintenanceAnnounced,
    MaintenanceCancelled,
    PolicyApplied,
    PromisesMoved,
)
from shared.domain.events.change import (
    ChangeAssigned,
    ChangeCancelled,
    ChangeImplemented,
    ChangeIncidentLinked,
    ChangeIncidentUnlinked,
    ChangeNoteAdded,
    ChangePlanned,
    ChangeProblemLinked,
    ChangeProblemUnlinked,
    ChangeRequested,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationPaged,
    EscalationRaised,
    EscalationReturned,
    EscalationUnanswered,
)
from shared.domain.events.event import Event
from shared.domain.events.handover import (
    HandoverAccepted,
    HandoverDeclined,
    HandoverJoined,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
    ServiceHandoverAccepted,
    ServiceHandoverDeclined,
    ServiceHandoverJoined,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentContacted,
    IncidentEdited,
    IncidentInformed,
    IncidentNoteAdded,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
    IncidentSolutionNoted,
)
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
    IncidentRecovered,
    IncidentSignalled,
    IncidentSnoozed,
    IncidentSourceAcknowledged,
    IncidentSourceNoted,
    IncidentWoken,
)
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.domain.events.notification import (
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from shared.domain.events.problem import (
    ProblemAssigned,
    ProblemChangeLinked,
    ProblemChangeUnlinked,
    ProblemDiagnosed,
    ProblemIdentified,
    ProblemIncidentLinked,
    ProblemIncidentPresumed,
    ProblemIncidentRelated,
    ProblemIncidentUnlinked,
    ProblemNoteAdded,
    ProblemResolved,
    ProblemSuggested,
    ProblemWorkaroundPublished,
)
from shared.domain.events.sla import (
    SlaArmed,
    SlaBreachAttributed,
    SlaBreached,
    SlaCancelled,
    SlaContinued,
    SlaExtensionAccepted,
    SlaExtensionExpired,
    SlaExtensionProposed,
    SlaExtensionRefused,
    SlaMet,
    SlaOverran,
    SlaPaused,
    SlaResumed,
    SlaRetargeted,
    SlaWarned,
)

IncidentEvent = (
    IncidentOpened
    | IncidentContacted
    | IncidentClassified
    | IncidentAssigned
    | IncidentAcknowledged
    | IncidentPaused
    | IncidentResumed
    | IncidentEdited
    | IncidentInformed
    | IncidentRestored
    | IncidentRelapsed
    | IncidentResolved
    | IncidentSolutionNoted
    | IncidentNoteAdded
    | IncidentReopened
    | IncidentClosed
    | IncidentCancelled
    | IncidentSignalled
    | IncidentRecovered
    | IncidentFlappingStarted
    | IncidentFlappingEnded
    | IncidentSnoozed
    | IncidentWoken
    | IncidentSourceAcknowledged
    | IncidentSourceNoted
    | IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentUnmerged
    | IncidentReleased
    | IncidentSplit
)
SlaAgreement = (
    SlaExtensionProposed
    | SlaExtensionAccepted
    | SlaExtensionRefused
    | SlaExtensionExpired
    | SlaBreachAttributed
)
SlaEvent = (
    SlaArmed
    | SlaWarned
    | SlaBreached
    | SlaMet
    | SlaOverran
    | SlaCancelled
    | SlaPaused
    | SlaResumed
    | SlaContinued
    | SlaRetargeted
    | SlaAgreement
)
NotificationEvent = (
    NotificationRequested
    | NotificationSent
    | NotificationConfirmed
    | NotificationFailed
)
EscalationEvent = (
    Escalated
    | EscalationPaged
    | EscalationAccepted
    | EscalationUnanswered
    | EscalationRaised
    | EscalationReturned
    | ProblemSuggested
    | NotificationEvent
)
HandoverEvent = (
    HandoverRequested
    | HandoverAccepted
    | HandoverJoined
    | HandoverReopened
    | HandoverDeclined
    | HandoverUnanswered
)
ServiceHandoverEvent = (
    ServiceHandoverRequested
    | ServiceHandoverAccepted
    | ServiceHandoverJoined
    | ServiceHandoverDeclined
    | ServiceHandoverUnanswered
)
ProblemEvent = (
    ProblemIdentified
    | ProblemIncidentLinked
    | ProblemIncidentPresumed
    | ProblemIncidentRelated
    | ProblemIncidentUnlinked
    | ProblemChangeLinked
    | ProblemChangeUnlinked
    | ProblemAssigned
    | ProblemWorkaroundPublished
    | ProblemDiagnosed
    | ProblemResolved
    | ProblemNoteAdded
)
ChangeEvent = (
    ChangeRequested
    | ChangeIncidentLinked
    | ChangeIncidentUnlinked
    | ChangeProblemLinked
    | ChangeProblemUnlinked
    | ChangeAssigned
    | ChangePlanned
    | ChangeImplemented
    | ChangeCancelled
    | ChangeNoteAdded
)
MaintenanceEvent = MaintenanceAnnounced | MaintenanceCancelled
AnyEvent = (
    IncidentEvent
    | SlaEvent
    | EscalationEvent
    | HandoverEvent
    | ServiceHandoverEvent
    | PromisesMoved
    | ProblemEvent
    | ChangeEvent
    | MaintenanceEvent
    | PolicyApplied
    | LogRestored
)

events: TypeAdapter[AnyEvent] = TypeAdapter(
    Annotated[AnyEvent, Field(discriminator="type")]
)
EVENT_TYPES: Mapping[str, type[Event]] = {
    kind.model_fields["type"].default: kind for kind in get_args(AnyEvent)
}


def is_incident_event(event: AnyEvent) -> TypeIs[IncidentEvent]:
    """Return whether an event belongs to an incident's own stream."""
    return event.type.startswith("incident.")


def is_sla_event(event: AnyEvent) -> TypeIs[SlaEvent]:
    """Return whether an event is about an SLA target."""
    return event.type.startswith("sla.")


def is_escalation_event(event: AnyEvent) -> TypeIs[EscalationEvent]:
    """Return whether an event is about escalation, including notifications."""
    return event.type.startswith(("escalation.", "notification."))


def is_service_handover(event: AnyEvent) -> TypeIs[ServiceHandoverEvent]:
    """Return whether an event is about the hand-over of a service."""
    return event.type.startswith("handover.service_")
