"""Expires requests for a longer delay that were not answered, or whose clock ended."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from services.sla_watcher.clocks.arm import on
from services.sla_watcher.clocks.case import Case
from shared.domain.events.sla import SlaExtensionExpired
from shared.domain.sla import Clock, Extension


def ended(case: Case, at: datetime) -> Sequence[SlaExtensionExpired]:
    """Return the requests that are void because their clock has ended."""
    return [
        _expired(case, clock, extension, clock.ended_at, at, "ended")
        for clock, extension in _asked(case)
        if not clock.measures and clock.ended_at is not None
    ]


def awaited(case: Case) -> Iterator[tuple[datetime, Clock, Extension]]:
    """Yield the open requests, each with the time until which it can be answered."""
    for clock, extension in _asked(case):
        if clock.measures:
            yield extension.expires_at, clock, extension


def unanswered(
    case: Case, clock: Clock, extension: Extension, at: datetime
) -> SlaExtensionExpired:
    """Return that nobody answered in time."""
    return _expired(case, clock, extension, extension.expires_at, at, "no_answer")


def _asked(case: Case) -> Iterator[tuple[Clock, Extension]]:
    for clock in case.clocks:
        if clock.asked is not None:
            yield clock, clock.asked


def _expired(  # each is a part of the event
    case: Case,
    clock: Clock,
    extension: Extension,
    when: datetime,
    at: datetime,
    cause: Literal["no_answer", "ended"],
) -> SlaExtensionExpired:
    return SlaExtensionExpired(
        **on(case, clock.name, at),
        extension=extension.ref,
        expired_at=when,
        cause=cause,
    )
