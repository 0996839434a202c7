"""What left the desk because of an incident, and how far each message came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.domain.events.incident import PersonId
from shared.domain.events.notification import (
    Kind,
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from shared.eventlog.entry import Entry


@dataclass(frozen=True)
class Notice:
    """A message after some of its events; `at` is when it came to its state."""

    key: str
    kind: Kind
    audience: Literal["user", "staff"]
    person: PersonId | None
    channel: Literal["mail", "webhook"]
    state: Literal["requested", "sent", "confirmed", "failed"]
    at: datetime
    reason: str | None = None
    """Why it failed for good."""


def notices(history: Iterable[Entry]) -> tuple[Notice, ...]:
    """Return the messages after `history`, in the order in which they were requested.

    Word of a message that was never requested says nothing: its request is parked.
    """
    known: dict[str, Notice] = {}
    for entry in history:
        match entry.event:
            case NotificationRequested() as event:
                known[event.key] = Notice(
                    key=event.key,
                    kind=event.kind,
                    audience=event.audience,
                    person=event.person,
                    channel=event.channel,
                    state="requested",
                    at=event.at,
                )
            case NotificationSent() as event:
                _move(known, event.key, state="sent", at=event.at)
            case NotificationConfirmed() as event:
                _move(known, event.key, state="confirmed", at=event.at)
            case NotificationFailed(reason=why) as event:
                _move(known, event.key, state="failed", at=event.at, reason=why)
            case _:
                pass
    return tuple(known.values())


def _move(known: dict[str, Notice], key: str, **changes: object) -> None:
    if key in known:
        known[key] = _changed(known[key], changes)


def _changed(notice: Notice, changes: Mapping[str, object]) -> Notice:
    return replace(notice, **changes)  # type: ignore[arg-type] # given right above
