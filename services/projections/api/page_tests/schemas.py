"""What is answered about tests of pages."""

from typing import Literal, Self

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.generations import AsOf
from shared.domain.events.contact_method import MethodId
from shared.domain.events.notification import Channel
from shared.domain.identifiers import PageTestRef
from shared.domain.page_test import MessageResult, PageTest
from shared.domain.policy.clause import Person

MessageState = Literal[
    "planned", "sent", "confirmed", "delivered", "failed", "not_needed"
]


class PageTestMessageView(Answer):
    """A message of a test: over which contact method, and its latest state."""

    channel: Channel
    method: MethodId
    """The id of the method; its value is not shown."""
    state: MessageState
    """`confirmed`: the other side accepted it. `delivered`: its provider reports that
    it reached the person. `not_needed`: the person answered before it was due."""
    due_at: AwareDatetime
    sent_at: AwareDatetime | None
    changed_at: AwareDatetime | None
    seconds: float | None
    """From the request of the test until the latest state."""
    reason: str | None
    """Why it failed."""

    @classmethod
    def of(cls, message: MessageResult, test: PageTest) -> Self:
        """Return the view of a message of a test."""
        answered = test.answered_at is not None
        changed = message.changed_at
        since = test.requested_at
        return cls(
            channel=message.channel,
            method=message.method,
            state="not_needed"
            if answered and message.state == "planned"
            else message.state,
            due_at=message.due_at,
            sent_at=message.sent_at,
            changed_at=changed,
            seconds=(changed - since).total_seconds() if changed else None,
            reason=message.reason,
        )


class PageTestView(Answer):
    """A test of a person's pages, measured."""

    test: PageTestRef
    person: Person
    schedule: str | None
    """The schedule whose people were tested; null: this person alone."""
    by: str
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    reached: bool
    """The person answered, or a provider reported that a message was delivered."""
    answered_at: AwareDatetime | None
    answered_via: Literal["link", "call"] | None
    seconds: float | None
    """From the request until the answer."""
    unverified: bool
    """The person has no verified method: only the address in the directory was used."""
    messages: list[PageTestMessageView]

    @classmethod
    def of(cls, test: PageTest) -> Self:
        """Return the view of a test."""
        answered = test.answered_at
        return cls(
            test=test.id,
            person=test.person,
            schedule=test.schedule,
            by=test.by,
            requested_at=test.requested_at,
            expires_at=test.expires_at,
            reached=test.is_reached,
            answered_at=answered,
            answered_via=test.answered_via,
            seconds=(answered - test.requested_at).total_seconds()
            if answered
            else None,
            unverified=test.unverified,
            messages=[PageTestMessageView.of(each, test) for each in test.messages],
        )


class PageTests(Answer):
    """Tests of pages, the newest first."""

    items: list[PageTestView]
    as_of: AsOf
