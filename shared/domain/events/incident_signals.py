"""Events from signals about an incident that is already open.

A repeat without changes is not an event: it is counted and reported in `repeats`, at
most once a minute or with the next change.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.priorities import Severity


class IncidentSignalled(Event):
    """An alert of the incident fires: again, with another severity, or still."""

    type: Literal["incident.signalled"] = "incident.signalled"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    severity: Severity | None = None
    repeats: int = 0
    """Number of repeats since the last event that counted them."""
    last_at: AwareDatetime
    """When the newest of them was received."""
    occurred_at: AwareDatetime | None = None
    title: Text | None = None
    """The title of the signal, if the alert is new to the incident."""
    dedup_key: Text | None = None
    rule: str | None = None
    """The correlation rule that assigned it to this incident."""
    rule_of: str | None = None
    """What the rule refers to: the labels that agree, or a setting."""


class IncidentRecovered(Event):
    """An alert of the incident recovered. Others may still fire."""

    type: Literal["incident.recovered"] = "incident.recovered"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    repeats: int = 0
    """How often it fired since the last event that counted it."""
    occurred_at: AwareDatetime | None = None
    held_until: AwareDatetime | None = None
    """When it took effect, which may be earlier than `at`; absent if at once."""
    rule: str | None = None
    """`recovered`, `hold_down` or `timeout`: whether the source reported it."""
    rule_of: str | None = None


class IncidentFlappingStarted(Event):
    """An alert of the incident is flapping: its recoveries do not count yet.

    There were `changes` of state, the first at `since`: more than its source is
    allowed.
    """

    type: Literal["incident.flapping_started"] = "incident.flapping_started"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    changes: int
    since: AwareDatetime


class IncidentFlappingEnded(Event):
    """The alert has kept its state long enough, until `held_until`.

    `changes` is the number of changes from `since` on.
    """

    type: Literal["incident.flapping_ended"] = "incident.flapping_ended"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    changes: int
    since: AwareDatetime
    held_until: AwareDatetime


class IncidentSnoozed(Event):
    """The incident was snoozed: repeats are not reported. Its clocks run on."""

    type: Literal["incident.snoozed"] = "incident.snoozed"
    incident: IncidentRef
    policy: int
    until: AwareDatetime
    reason: Text


class IncidentWoken(Event):
    """The snooze ended early: repeats are reported again."""

    type: Literal["incident.woken"] = "incident.woken"
    incident: IncidentRef
    policy: int
    cause: Literal["agent", "severity"]
    """`severity`: one of its alerts got worse."""


class IncidentSourceNoted(Event):
    """Somebody wrote a note about one of its alerts at the source."""

    type: Literal["incident.source_noted"] = "incident.source_noted"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    note: Text
    author: Text | None = None
    """The author's name at the source."""
    occurred_at: AwareDatetime | None = None


class IncidentSourceAcknowledged(Event):
    """Somebody acknowledged the alert at its source. Stops no clock here."""

    type: Literal["incident.source_acknowledged"] = "incident.source_acknowledged"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    occurred_at: AwareDatetime | None = None


IncidentSignalEvent = (
    IncidentSignalled
    | IncidentRecovered
    | IncidentFlappingStarted
    | IncidentFlappingEnded
    | IncidentSnoozed
    | IncidentWoken
    | IncidentSourceAcknowledged
    | IncidentSourceNoted
)
