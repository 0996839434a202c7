"""Events of how a person wants to be reached: in the stream `person-<id>`.

The log has the id and the kind of a contact method. Its value, an address or a number,
is in the directory, where it can be corrected and forgotten; the log has a fingerprint
of it, which the person's key alone can compare.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId

MethodId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,140}$")]
"""The person and the version of their stream, `nadia.3`; or `mail`."""
ContactKind = Literal[
    "mail",
    "sms",
    "voice",
    "ntfy",
    "mattermost",
    "matrix",
    "slack",
    "apprise",
    "web_push",
]
"""The channels over which one person can be reached."""
DIRECTORY_MAIL = "mail"
"""The id of the method that everybody has with an address in the directory."""
DIRECTORY_PHONE = "phone"
"""What the telephone number in the directory is called beside `mail`."""
Fingerprint = Annotated[
    str, StringConstraints(pattern=r"^f1\.[0-9a-f]{16}\.[A-Za-z0-9_-]{22}$")
]
"""Recognizes an address as long as the key of its person is in the vault."""
TimeOfDay = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
]
"""`22:00`, on the clocks of the zone that is named beside it."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )


class NotificationRule(_Part):
    """Notify over one method some time after the cause, perhaps several times."""

    method: MethodId
    delay_seconds: Annotated[int, Field(ge=0, le=7_200)] = 0
    repeat: Annotated[int, Field(ge=1, le=5)] = 1
    """How often, while nobody has accepted."""
    every_seconds: Annotated[int, Field(ge=60, le=3_600)] = 300
    """The time between repeats."""


class QuietHours(_Part):
    """Every day from `start` until `end`, perhaps over midnight."""

    start: TimeOfDay
    end: TimeOfDay
    zone: str


class PersonContactMethodAdded(Event):
    """A person added a way to reach them; it is used once it is verified."""

    type: Literal["person.contact_method_added"] = "person.contact_method_added"
    person: PersonId
    method: MethodId
    kind: ContactKind
    fingerprint: Fingerprint | None = None
    """Of its value; null if it was added before there were fingerprints."""


class PersonContactMethodVerified(Event):
    """A person proved that a method reaches them: they entered the code sent by it."""

    type: Literal["person.contact_method_verified"] = "person.contact_method_verified"
    person: PersonId
    method: MethodId


class PersonContactMethodRemoved(Event):
    """A method was removed, by the person or by an administrator."""

    type: Literal["person.contact_method_removed"] = "person.contact_method_removed"
    person: PersonId
    method: MethodId


class PersonNotificationRulesSet(Event):
    """A person chose how they are notified; an empty list means the desk's default.

    `important` is for pages of incidents with priority P1 or P2, which quiet hours
    never hold back; `default` for everything else.
    """

    type: Literal["person.notification_rules_set"] = "person.notification_rules_set"
    person: PersonId
    default: tuple[NotificationRule, ...] = ()
    important: tuple[NotificationRule, ...] = ()
    quiet_hours: QuietHours | None = None


class PersonAddressChanged(Event):
    """The mail address or telephone number of a person in the directory changed.

    The first one counts as a change, too.
    """

    type: Literal["person.address_changed"] = "person.address_changed"
    person: PersonId
    address: MethodId
    """`mail` or `phone`; the id of a contact method that is recorded as found."""
    fingerprint: Fingerprint | None = None
    """Of what it is now; null: there is none any more."""
    found: bool = False
    """Whether it was there before there were fingerprints, and was not changed."""


ContactMethodEvent = (
    PersonContactMethodAdded
    | PersonContactMethodVerified
    | PersonContactMethodRemoved
    | PersonNotificationRulesSet
    | PersonAddressChanged
)
