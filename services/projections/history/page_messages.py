"""The messages of a page to one person: requested, on their way, or not needed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.projections.history.history import Notice
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.events.notification import (
    Channel,
    NotificationPlanned,
    NotificationRequested,
)
from shared.eventlog.entry import Entry

MessageState = Literal[
    "requested",
    "throttled",
    "sent",
    "confirmed",
    "delivered",
    "failed",
    "waiting",
    "not_needed",
]


@dataclass(frozen=True, slots=True)
class PageMessage:
    """A message of a page to the person: over which method, and its latest state."""

    channel: Channel
    method: str
    """The id of the contact method; never its value."""
    state: MessageState
    at: datetime
    """When it came to that state; if it waits or is throttled, when it is due."""
    reason: str | None = None
    """Why it failed."""
    bundle: str | None = None
    """The key of the bundle that it was part of."""


def plan_of(
    page: Entry, past: Sequence[Entry], person: str
) -> NotificationPlanned | None:
    """Return over which contact methods a page was to reach a person, and when."""
    return next(
        (
            each.event
            for each in past
            if isinstance(each.event, NotificationPlanned)
            and _is_about(each.event, page, person)
        ),
        None,
    )


def _is_about(
    event: NotificationPlanned | NotificationRequested, page: Entry, person: str
) -> bool:
    cause = (event.cause_stream, event.cause_version)
    is_cause = event.kind == "page" and cause == (page.stream, page.version)
    return is_cause and event.person == person


def messages_of(
    page: Entry,
    past: Sequence[Entry],
    held: Mapping[str, Notice],
    person: str,
    planned: NotificationPlanned | None,
    ended: datetime | None,
) -> Iterator[PageMessage]:
    """Yield the messages that were requested, then those that the plan had left."""
    requested: Counter[str] = Counter()
    for entry in past:
        event = entry.event
        if isinstance(event, NotificationRequested) and _is_about(event, page, person):
            method = event.method or DIRECTORY_MAIL
            requested[method] += 1
            now = held[event.key]
            yield PageMessage(
                event.channel,
                method,
                now.state,
                now.until or now.at,
                now.reason,
                now.bundle,
            )
    for each in planned.requests if planned else ():
        if each.number > requested[each.method]:
            state: MessageState = "waiting" if ended is None else "not_needed"
            at = ended or each.due_at or page.recorded_at
            yield PageMessage(each.channel, each.method, state, at)
