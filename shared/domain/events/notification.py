"""What leaves the desk: requested once per key, then sent, then confirmed or failed.

They stand in the stream `escalation-<incident>`, in the order in which they leave. A
repeat after a crash carries the same key: outwards we promise at least once.
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
    """`person` is to hear about `cause`, once.

    `person` is None for what goes to the desk's own receiver of pages.
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
    """The event it tells of; the words are made from it when it is sent."""


class NotificationSent(Event):
    """It was handed to the channel, for the first time."""

    type: Literal["notification.sent"] = "notification.sent"
    incident: IncidentRef
    key: str


class NotificationConfirmed(Event):
    """The other side took it: a mail server's or a receiver's word, `receipt`."""

    type: Literal["notification.confirmed"] = "notification.confirmed"
    incident: IncidentRef
    key: str
    attempts: int
    receipt: str


class NotificationFailed(Event):
    """It will not be tried again; `reason` says why, without personal words."""

    type: Literal["notification.failed"] = "notification.failed"
    incident: IncidentRef
    key: str
    attempts: int
    reason: str
