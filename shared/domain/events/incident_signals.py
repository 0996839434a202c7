"""What monitoring said about an incident that is already open.

A repeat that changes nothing is no event: it is counted and told at most once a minute,
or with the next change, in `repeats`.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.priorities import Severity


class IncidentSignalled(Event):
    """A signal of the incident fires: again, with another severity, or still."""

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
    title: Text | None = None
    """What the signal says, where it is new to the incident."""
    dedup_key: Text | None = None
    rule: str | None = None
    """By which rule of the pipeline it is news of this incident."""
    rule_of: str | None = None
    """What that rule goes by: the labels in which signals agree, a setting."""


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
    held_until: AwareDatetime | None = None
    """When it took effect, which may be earlier than `at`; absent: at once."""
    rule: str | None = None
    """`recovered`, `hold_down` or `timeout`: whether the source said so itself."""
    rule_of: str | None = None


class IncidentFlappingStarted(Event):
    """A signal of the incident goes up and down: its recoveries are not believed yet.

    `changes` of state, the first of them at `since`, are more than its source may have.
    """

    type: Literal["incident.flapping_started"] = "incident.flapping_started"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    changes: int
    since: AwareDatetime


class IncidentFlappingEnded(Event):
    """The signal has kept its state long enough, until `held_until`.

    `changes` is how often it changed from `since` on.
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
    """No news is made of its repeats until `until`. No clock stands for it."""

    type: Literal["incident.snoozed"] = "incident.snoozed"
    incident: IncidentRef
    policy: int
    until: AwareDatetime
    reason: Text


class IncidentWoken(Event):
    """News is made of its repeats again, before the time was over."""

    type: Literal["incident.woken"] = "incident.woken"
    incident: IncidentRef
    policy: int
    cause: Literal["agent", "severity"]
    """`severity`: a signal of it got worse."""


class IncidentSourceNoted(Event):
    """Somebody wrote a note about it where its signal comes from."""

    type: Literal["incident.source_noted"] = "incident.source_noted"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    note: Text
    author: Text | None = None
    """Who wrote it, as the source calls them."""
    occurred_at: AwareDatetime | None = None


class IncidentSourceAcknowledged(Event):
    """The source says that somebody acknowledged there. Stops no clock here."""

    type: Literal["incident.source_acknowledged"] = "incident.source_acknowledged"
    incident: IncidentRef
    policy: int
    source: str
    signal_key: str
    occurred_at: AwareDatetime | None = None
