"""The events of a notification: requested once per key, sent, confirmed or failed.

A page to somebody who gets too many waits, and leaves in a bundle with others.
A provider may report later that it was delivered, or that it failed after all. They
are in the stream `escalation-<incident>`, in the order of sending. A repeat after a
crash has the same key: delivery is at least once.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.contact_method import MethodId
from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import BundleKey, IncidentRef
from shared.domain.policy.clause import Name

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
    "redirected",
    "merged",
    "problem_workaround",
    "extension",
    "agreed",
    "page",
    "taken_by_colleague",
    "manager",
    "handover",
    "service_handover",
    "routed",
    "suggestion",
    "update_due",
    "reminder",
    "unreachable",
    "nobody_notified",
]
Channel = Literal[
    "mail",
    "webhook",
    "mattermost",
    "matrix",
    "slack",
    "ntfy",
    "apprise",
    "sms",
    "voice",
    "web_push",
]


class NotificationRequested(Event):
    """`person` is to be notified about a cause, once.

    `person` is None for the desk's own receiver of pages, and for channels of teams.
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
    method: MethodId | None = None
    """The contact method it goes to; default: the address in the directory."""
    team_channel: Name | None = None
    """The channel of a team that it goes to, by its name in the policy."""


class PlannedRequest(BaseModel):
    """A request that becomes due unless somebody accepts before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: MethodId
    channel: Channel
    number: int
    """The number of the request over this method, from 1."""
    due_at: AwareDatetime | None = None
    """Default: only if an earlier one fails."""


class NotificationPlanned(Event):
    """A person's rules were applied: over which methods they are notified, and when.

    Requests that are due at once follow at once. Later ones are dropped if somebody
    accepts before; if one fails for good, the next becomes due at once.
    """

    type: Literal["notification.planned"] = "notification.planned"
    incident: IncidentRef
    policy: int
    kind: Kind
    person: PersonId
    rules: Literal["default", "important"]
    requests: tuple[PlannedRequest, ...]
    held_until: AwareDatetime | None = None
    """The end of the person's quiet hours, if these hold the requests back."""
    cause_stream: str
    cause_version: int


class NotificationThrottled(Event):
    """A page waits: its contact method had as many as the limits of the channel allow.

    A channel of a team counts as a contact method.

    It leaves at `until`, as soon as one more is allowed. If that is far away, the
    person's next contact method is used at once, as after a failure.
    """

    type: Literal["notification.throttled"] = "notification.throttled"
    incident: IncidentRef
    key: str
    until: AwareDatetime


class BundleMember(BaseModel):
    """A page in a bundle: its incident, and the key of its notification."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident: IncidentRef
    key: str


class NotificationBundled(Event):
    """Pages that waited for one contact method leave together, as one message.

    It is recorded with the incident of its first member. The state of each member is
    recorded with its own incident.
    """

    type: Literal["notification.bundled"] = "notification.bundled"
    incident: IncidentRef
    bundle: BundleKey
    person: PersonId | None = None
    """None for a channel of a team."""
    channel: Channel
    method: MethodId | None = None
    """The contact method it goes to; default: the address in the directory."""
    team_channel: Name | None = None
    """The channel of a team that it goes to, by its name in the policy."""
    members: tuple[BundleMember, ...]


class NotificationSent(Event):
    """The notification was passed to the channel, for the first time."""

    type: Literal["notification.sent"] = "notification.sent"
    incident: IncidentRef
    key: str
    bundle: BundleKey | None = None
    """The bundle it was part of; default: it left alone."""


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


class NotificationDelivered(Event):
    """The provider reports that the message reached the person.

    After `notification.confirmed`, which only says that the provider accepted it. If it
    reports instead that the message failed, `notification.failed` follows.
    """

    type: Literal["notification.delivered"] = "notification.delivered"
    incident: IncidentRef
    key: str
    provider: str


NotificationEvent = (
    NotificationPlanned
    | NotificationRequested
    | NotificationThrottled
    | NotificationBundled
    | NotificationSent
    | NotificationConfirmed
    | NotificationDelivered
    | NotificationFailed
)
