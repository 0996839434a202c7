"""A test of somebody's pages, as the events about it say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.domain.events import PageTestEvent
from shared.domain.events.event import Actor
from shared.domain.events.notification import Channel
from shared.domain.events.page_test import (
    PageTestAnswered,
    PageTestConfirmed,
    PageTestDelivered,
    PageTestFailed,
    PageTestPlanned,
    PageTestRequested,
    PageTestSent,
)

MessageState = Literal["planned", "sent", "confirmed", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class MessageResult:
    """A message of a test, with the instants at which it was sent and last changed."""

    key: str
    method: str
    channel: Channel
    due_at: datetime
    state: MessageState = "planned"
    sent_at: datetime | None = None
    changed_at: datetime | None = None
    reason: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class PageTest:
    """A test of a person's pages."""

    id: str
    person: str
    schedule: str | None
    by: Actor
    requested_at: datetime
    expires_at: datetime
    messages: tuple[MessageResult, ...] = ()
    is_planned: bool = False
    unverified: bool = False
    answered_at: datetime | None = None
    answered_via: Literal["link", "call"] | None = None

    def is_over(self, now: datetime) -> bool:
        """Return whether the time to answer has passed."""
        return self.expires_at <= now

    @property
    def reached_at(self) -> datetime | None:
        """When the person answered, or else when a provider reported a delivery."""
        if self.answered_at is not None:
            return self.answered_at
        delivered = (e.changed_at for e in self.messages if e.state == "delivered")
        return min(filter(None, delivered), default=None)

    @property
    def is_reached(self) -> bool:
        """Whether the person answered, or a provider reported a delivery."""
        return self.reached_at is not None

    @property
    def reached_over(self) -> Sequence[Channel]:
        """The channels of the messages that reached the person, or may have.

        All messages of a test have the same link: if no provider reported a delivery,
        these are the channels that accepted a message.
        """
        for states in ({"delivered"}, {"confirmed"}):
            found = [each.channel for each in self.messages if each.state in states]
            if found:
                return tuple(dict.fromkeys(found))
        return ()


def replay_page_tests(history: Iterable[PageTestEvent]) -> Mapping[str, PageTest]:
    """Return tests by id, in the order of their requests.

    `history` has the events of both streams of a person, in the order of the log.
    """
    found: dict[str, PageTest] = {}
    for event in history:
        if isinstance(event, PageTestRequested):
            found[event.test] = PageTest(
                event.test,
                event.person,
                event.schedule,
                event.by,
                event.at,
                event.expires_at,
            )
        elif event.test in found:
            found[event.test] = _after(found[event.test], event)
    return found


def last_reached(tests: Mapping[str, PageTest]) -> PageTest | None:
    """Return the newest test that reached its person, None without one."""
    return next((each for each in reversed([*tests.values()]) if each.is_reached), None)


def _after(test: PageTest, event: PageTestEvent) -> PageTest:
    match event:
        case PageTestRequested():
            return test
        case PageTestPlanned(messages=messages, unverified=unverified):
            planned = tuple(
                MessageResult(each.key, each.method, each.channel, each.due_at)
                for each in messages
            )
            return replace(
                test, messages=planned, is_planned=True, unverified=unverified
            )
        case PageTestAnswered(at=at, via=via):
            if test.answered_at is not None:
                return test
            return replace(test, answered_at=at, answered_via=via)
        case PageTestSent() | PageTestConfirmed() | PageTestDelivered():
            return _with_message(test, event)
        case PageTestFailed():
            return _with_message(test, event, event.reason)
        case _:
            assert_never(event)


_STATES: Mapping[str, MessageState] = {
    "page_test.sent": "sent",
    "page_test.confirmed": "confirmed",
    "page_test.delivered": "delivered",
    "page_test.failed": "failed",
}


def _with_message(
    test: PageTest,
    event: PageTestSent | PageTestConfirmed | PageTestDelivered | PageTestFailed,
    reason: str | None = None,
) -> PageTest:
    def changed(message: MessageResult) -> MessageResult:
        if message.key != event.key:
            return message
        sent_at = event.at if isinstance(event, PageTestSent) else message.sent_at
        return replace(
            message,
            state=_STATES[event.type],
            sent_at=sent_at,
            changed_at=event.at,
            reason=reason,
        )

    return replace(test, messages=tuple(map(changed, test.messages)))
