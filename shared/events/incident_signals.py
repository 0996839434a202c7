"""What monitoring said about an incident that is already open.

A repeat that changes nothing is no event: it is counted and told at most once a minute,
or with the next change, in `repeats`.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.event import Event
from shared.policy.scales import Severity
from shared.references import IncidentRef


class IncidentSignalled(Event):
    """A signal of the incident fires: anew, with another severity, or still."""

    type: Literal["incident.signalled"] = "incident.signalled"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    severity: Severity | None = None
    repeats: int = 0
    """How many repeats came since the last event that told of them."""
    last_at: AwareDatetime
    """When the newest of them was received."""
    occurred_at: AwareDatetime | None = None


class IncidentRecovered(Event):
    """One signal of the incident recovered. Others may still fire."""

    type: Literal["incident.recovered"] = "incident.recovered"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    repeats: int = 0
    """How often it had fired since the last event that told of it."""
    occurred_at: AwareDatetime | None = None


class IncidentSourceAcknowledged(Event):
    """The source says that somebody acknowledged there. Stops no clock here."""

    type: Literal["incident.source_acknowledged"] = "incident.source_acknowledged"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    occurred_at: AwareDatetime | None = None
