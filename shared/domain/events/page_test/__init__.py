"""Events of page tests: fire drills that are about no incident.

Intake records in `page_tests-<person>` who asked for a test and that its person
answered; escalation records in `page_test_messages-<person>` over which contact methods
it is sent, and the result of each message. Both name a method by its id and kind, never
by its value.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.domain.events.contact_method import MethodId
from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId
from shared.domain.events.notification import Channel
from shared.domain.identifiers import PageTestRef
from shared.domain.policy.clause import NAME


class PageTestRequested(Event):
    """A person is to be paged as for an urgent incident, although nothing is wrong."""

    type: Literal["page_test.requested"] = "page_test.requested"
    person: PersonId
    test: PageTestRef
    schedule: Annotated[str, StringConstraints(pattern=NAME)] | None = None
    """The on-call schedule whose people are tested; default: this person alone."""
    expires_at: AwareDatetime
    """Until when messages are sent, and the person may answer."""


class PageTestAnswered(Event):
    """The person answered that a message of the test reached them."""

    type: Literal["page_test.answered"] = "page_test.answered"
    person: PersonId
    test: PageTestRef
    via: Literal["link", "call"]
    """By the link in a message, or by a key that they pressed in a call."""


class PageTestMessage(BaseModel):
    """A message of a test; it is dropped if the person answers before it is due."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    method: MethodId
    channel: Channel
    due_at: AwareDatetime


class PageTestPlanned(Event):
    """The person's rules for important pages were applied to the test.

    If a message fails for good, the next one becomes due at once.
    """

    type: Literal["page_test.planned"] = "page_test.planned"
    person: PersonId
    test: PageTestRef
    messages: tuple[PageTestMessage, ...]
    """In the order in which they are due."""
    unverified: bool = False
    """The person has no verified method: only the address in the directory is used."""


class PageTestSent(Event):
    """A message was passed to its channel, for the first time."""

    type: Literal["page_test.sent"] = "page_test.sent"
    person: PersonId
    test: PageTestRef
    key: str


class PageTestConfirmed(Event):
    """The other side accepted a message; `receipt` is its server's answer."""

    type: Literal["page_test.confirmed"] = "page_test.confirmed"
    person: PersonId
    test: PageTestRef
    key: str
    attempts: int
    receipt: str


class PageTestDelivered(Event):
    """The provider reports that a message reached the person."""

    type: Literal["page_test.delivered"] = "page_test.delivered"
    person: PersonId
    test: PageTestRef
    key: str
    provider: str


class PageTestFailed(Event):
    """A message failed for good; `reason` says why, without personal text."""

    type: Literal["page_test.failed"] = "page_test.failed"
    person: PersonId
    test: PageTestRef
    key: str
    attempts: int
    reason: str


PageTestRequestEvent = PageTestRequested | PageTestAnswered
"""What intake records."""
PageTestMessageEvent = (
    PageTestPlanned
    | PageTestSent
    | PageTestConfirmed
    | PageTestDelivered
    | PageTestFailed
)
"""What escalation records."""
PageTestEvent = PageTestRequestEvent | PageTestMessageEvent
