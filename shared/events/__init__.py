"""Every event there is: the union, its parser, and the class of each type."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from shared.events.event import Event
from shared.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentContacted,
    IncidentInformed,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.events.incident_signals import (
    IncidentRecovered,
    IncidentSignalled,
    IncidentSourceAcknowledged,
)
from shared.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.events.policy import PolicyApplied

IncidentEvent = (
    IncidentOpened
    | IncidentContacted
    | IncidentClassified
    | IncidentAssigned
    | IncidentAcknowledged
    | IncidentPaused
    | IncidentResumed
    | IncidentInformed
    | IncidentRestored
    | IncidentRelapsed
    | IncidentResolved
    | IncidentReopened
    | IncidentClosed
    | IncidentCancelled
    | IncidentSignalled
    | IncidentRecovered
    | IncidentSourceAcknowledged
    | IncidentLinked
    | IncidentUnlinked
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentUnmerged
    | IncidentReleased
    | IncidentSplit
)
AnyEvent = IncidentEvent | PolicyApplied

events: TypeAdapter[AnyEvent] = TypeAdapter(
    Annotated[AnyEvent, Field(discriminator="type")]
)
EVENT_TYPES: Mapping[str, type[Event]] = {
    kind.model_fields["type"].default: kind for kind in get_args(AnyEvent)
}
