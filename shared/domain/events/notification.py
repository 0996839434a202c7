"""The events of a notification: requested once per key, sent, confirmed or failed.

They are in the stream `escalation-<incident>`, in the order of sending. A repeat after
a crash has the same key: delivery is at least once.
"""

from typing import Literal

from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef

Kind = Literal[
    "receipt",
    "taken",
    "escalated",
    "returned",
    "question",
    "update",
    "restored",
    "resolved",
    "reopened",
    "cancelled",
    "merged",
    "problem_workaround",
    "extension",
    "agreed",
    "page",
    "manager",
    "handover",
    "service_handover",
    "routed",
    "suggestion",
    "update_due",
]
Channel = Literal["mail", "webhook"]


class NotificationRequested(Event):
    """`person` is to be notified about a cause, once.

    `person` is None for the desk's own receiver of pages.
    """

    type: Literal["notification.requested"] = "notification.requested"
    incident: IncidentRef
    policy: int
    key: str
    kind: Kind
    audience: Literal["user", "staff"]
    channel: Channel
    person: PersonId | None = None
    cause_stream: str
    cause_version: int
    """The event it reports; the text is generated from it on sending."""


class NotificationSent(Event):
    """The notification was passed to the channel, for the first time."""

    type: Literal["notification.sent"] = "notification.sent"
    incident: IncidentRef
    key: str


class NotificationConfirmed(Event):
    """The other side accepted the notification; `receipt` is its server's answer."""

    type: Literal["notification.confirmed"] = "notification.confirmed"
    incident: IncidentRef
    key: str
    attempts: int
    receipt: str


class NotificationFailed(Event):
    """The notification failed for good; `reason` says why, without personal text."""

    type: Literal["notification.failed"] = "notification.failed"
    incident: IncidentRef
    key: str
    attempts: int
    reason: str
