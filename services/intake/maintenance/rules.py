"""Rules for single maintenance windows, announced by a command. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from services.intake.commands.rules import Refused
from services.intake.commands.rules.context import known
from services.intake.signals.rules.suppression import Window
from shared.domain.bounded_text import Instant, Reason
from shared.domain.events import MaintenanceEvent
from shared.domain.events.administration import (
    MaintenanceAnnounced,
    MaintenanceCancelled,
)
from shared.domain.events.event import Actor
from shared.domain.policy.clause import Name
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Duration

LONGEST = timedelta(days=31)
"""The longest window: anything longer is no longer maintenance."""
AHEAD = timedelta(days=366)
REMEMBERED = timedelta(days=31)
"""How long after its end a window is still considered."""


class Announce(BaseModel):
    """The body of an announcement: until `end`, or for `duration`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Name
    start: Instant | None = None
    """Default: now."""
    end: Instant | None = None
    duration: Duration | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.end is None) == (self.duration is None):
            raise PydanticCustomError(
                "end", "say when it ends: either `end` or `duration`"
            )
        return self


class Withdraw(BaseModel):
    """The body of a cancellation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """Announced maintenance; `cancelled_at` is set if it was cancelled."""

    window: str
    service: str
    start: datetime
    until: datetime
    reason: str
    by: Actor
    announced_at: datetime
    cancelled_at: datetime | None = None


Book = Mapping[str, Announced]


def window_ref(number: int) -> str:
    """Return the reference of the window announced by the event of this version."""
    return f"MNT-{number:06d}"


def book(history: Iterable[MaintenanceEvent]) -> Book:
    """Return all announced windows by reference."""
    held: dict[str, Announced] = {}
    for event in history:
        match event:
            case MaintenanceAnnounced():
                held[event.window] = Announced(
                    event.window,
                    event.service,
                    event.start,
                    event.until,
                    event.reason,
                    event.by,
                    event.at,
                )
            case MaintenanceCancelled(window=ref, at=at):
                held[ref] = replace(held[ref], cancelled_at=at)
    return held


def windows(announced: Book) -> list[tuple[str, Window]]:
    """Return the windows that suppress signals, each with its service."""
    latest = max((each.announced_at for each in announced.values()), default=None)
    return [
        (each.service, Window(each.window, each.start, each.until))
        for each in announced.values()
        if each.cancelled_at is None
        and latest is not None
        and each.until > latest - REMEMBERED
    ]


def announced(
    wish: Announce, ref: str, at: datetime, by: Actor, policy: Policy
) -> MaintenanceAnnounced:
    """Return the announcement; raises `Refused` if it is not possible."""
    known("service", wish.service, policy.services)
    start = wish.start or at
    until = wish.end or start + (wish.duration or timedelta())
    if until <= start:
        raise Refused("it ends before it starts: correct `end`", "invalid")
    if until <= at:
        raise Refused("it is over already: nothing can be announced of it", "invalid")
    if until - start > LONGEST:
        raise Refused(f"it lasts more than {LONGEST.days} days: shorten it", "invalid")
    if start - at > AHEAD:
        raise Refused(f"it is more than {AHEAD.days} days ahead: wait", "invalid")
    return MaintenanceAnnounced(
        at=at,
        by=by,
        whose=by,
        window=ref,
        service=wish.service,
        start=start,
        until=until,
        reason=wish.reason,
    )


def cancelled(
    wish: Withdraw, ref: str, held: Book, at: datetime, by: Actor
) -> MaintenanceCancelled | None:
    """Return the cancellation, or None if it is cancelled already."""
    if ref not in held:
        raise Refused(f"there is no maintenance {ref}", "unknown_incident")
    found = held[ref]
    if found.cancelled_at is not None:
        return None
    if found.until <= at:
        raise Refused(f"{ref} is over: there is nothing to cancel", "state")
    return MaintenanceCancelled(at=at, by=by, whose=by, window=ref, reason=wish.reason)
