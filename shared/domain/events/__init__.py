"""All events, as one namespace: `events.IncidentOpened`, `events.IncidentEvent`.

Each module ends with the union of its events, and everything else follows from those.
"""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field, TypeAdapter
from typing_extensions import TypeIs

from shared.domain.events.administration import *  # noqa: F403 # a namespace of events
from shared.domain.events.administration import (
    LogRestored,
    MaintenanceEvent,
    PolicyApplied,
    PromisesMoved,
)
from shared.domain.events.change import *  # noqa: F403
from shared.domain.events.change import ChangeEvent
from shared.domain.events.contact_method import *  # noqa: F403
from shared.domain.events.escalation import *  # noqa: F403
from shared.domain.events.escalation import EscalationEvent
from shared.domain.events.event import Event
from shared.domain.events.external_record import *  # noqa: F403
from shared.domain.events.external_record import ExternalRecordEvent
from shared.domain.events.handover import *  # noqa: F403
from shared.domain.events.handover import HandoverEvent, ServiceHandoverEvent
from shared.domain.events.incident import *  # noqa: F403
from shared.domain.events.incident import IncidentProgressEvent
from shared.domain.events.incident_attachments import *  # noqa: F403
from shared.domain.events.incident_attachments import IncidentAttachmentEvent
from shared.domain.events.incident_signals import *  # noqa: F403
from shared.domain.events.incident_signals import IncidentSignalEvent
from shared.domain.events.incident_ties import *  # noqa: F403
from shared.domain.events.incident_ties import IncidentTieEvent
from shared.domain.events.month_report import *  # noqa: F403
from shared.domain.events.month_report import MonthReportEvent
from shared.domain.events.notification import *  # noqa: F403
from shared.domain.events.on_call import *  # noqa: F403
from shared.domain.events.on_call import AbsenceEvent, OnCallEvent, ScheduleChangeEvent
from shared.domain.events.on_call_history import *  # noqa: F403
from shared.domain.events.on_call_history import (
    InterventionEvent,
    OnCallExplained,
    OnCallHistoryEvent,
)
from shared.domain.events.page_test import *  # noqa: F403
from shared.domain.events.page_test import PageTestEvent
from shared.domain.events.person import *  # noqa: F403
from shared.domain.events.person import PersonEvent
from shared.domain.events.problem import *  # noqa: F403
from shared.domain.events.problem import ProblemEvent
from shared.domain.events.review import *  # noqa: F403
from shared.domain.events.review import ReviewEvent
from shared.domain.events.sla import *  # noqa: F403
from shared.domain.events.sla import SlaEvent
from shared.domain.events.survey import *  # noqa: F403
from shared.domain.events.survey import SurveyEvent
from shared.domain.events.survey.anonymous import *  # noqa: F403
from shared.domain.events.survey.anonymous import AnonymousEvent
from shared.domain.events.survey.results import *  # noqa: F403
from shared.domain.events.survey.results import SurveyResultEvent

IncidentEvent = (
    IncidentProgressEvent
    | IncidentSignalEvent
    | IncidentTieEvent
    | IncidentAttachmentEvent
)
AnyEvent = (
    IncidentEvent
    | SlaEvent
    | EscalationEvent
    | HandoverEvent
    | ServiceHandoverEvent
    | PromisesMoved
    | ProblemEvent
    | ChangeEvent
    | ExternalRecordEvent
    | MaintenanceEvent
    | PersonEvent
    | SurveyEvent
    | SurveyResultEvent
    | AnonymousEvent
    | MonthReportEvent
    | ReviewEvent
    | OnCallEvent
    | OnCallHistoryEvent
    | InterventionEvent
    | OnCallExplained
    | PageTestEvent
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


def is_person_event(event: AnyEvent) -> TypeIs[PersonEvent]:
    """Return whether an event is about a person: their rights, how to reach them."""
    return event.type.startswith("person.")


def is_survey_event(event: AnyEvent) -> TypeIs[SurveyEvent]:
    """Return whether an event is about the survey of one incident."""
    return isinstance(event, SurveyEvent)


def is_schedule_change(event: AnyEvent) -> TypeIs[ScheduleChangeEvent]:
    """Return whether people changed an on-call schedule by an event."""
    return isinstance(event, ScheduleChangeEvent)


def is_absence(event: AnyEvent) -> TypeIs[AbsenceEvent]:
    """Return whether an event is about the absence of a person."""
    return isinstance(event, AbsenceEvent)


def is_on_call_history(event: AnyEvent) -> TypeIs[OnCallHistoryEvent]:
    """Return whether an event is about who was on call."""
    return isinstance(event, get_args(OnCallHistoryEvent))


def is_intervention(event: AnyEvent) -> TypeIs[InterventionEvent]:
    """Return whether an event is about an intervention of a person on standby."""
    return isinstance(event, get_args(InterventionEvent))


def is_page_test_event(event: AnyEvent) -> TypeIs[PageTestEvent]:
    """Return whether an event is about a test of somebody's pages."""
    return event.type.startswith("page_test.")


def is_service_handover(event: AnyEvent) -> TypeIs[ServiceHandoverEvent]:
    """Return whether an event is about the hand-over of a service."""
    return event.type.startswith("handover.service_")
