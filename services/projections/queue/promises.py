"""Applies SLA events to an incident's row in the queue: due dates and breaches.

Uses only the SLA stream, so a row is the same in whichever order streams are read.
"""

from typing import assert_never

from services.projections.queue.row import Changes, QueueRow
from shared.domain.events import SlaEvent
from shared.domain.events.sla import (
    SlaArmed,
    SlaBreachAttributed,
    SlaBreached,
    SlaCancelled,
    SlaContinued,
    SlaExtensionAccepted,
    SlaExtensionExpired,
    SlaExtensionProposed,
    SlaExtensionRefused,
    SlaMet,
    SlaOverran,
    SlaPaused,
    SlaResumed,
    SlaRetargeted,
    SlaWarned,
)

_NOTHING: Changes = {
    "tto_due_at": None,
    "ttr_due_at": None,
    "tto_hours": None,
    "ttr_hours": None,
    "tto_breached": False,
    "ttr_breached": False,
    "ttr_left": None,
}


def promised(row: QueueRow, event: SlaEvent) -> Changes:
    """Return what an event changes.

    Events of an earlier cycle, about updates to users, or about what support levels
    owe the desk change nothing. A broken promise remains due until it is completed
    late, even while it is paused.
    """
    if event.target not in {"tto", "ttr"} or event.cycle < row.sla_cycle:
        return {}
    due, broken = f"{event.target}_due_at", f"{event.target}_breached"
    fresh = event.cycle > row.sla_cycle
    whole = {"sla_cycle": event.cycle, **(_NOTHING if fresh else {})}
    left = _left(row, event, fresh=fresh)
    match event:
        case (
            SlaWarned()
            | SlaExtensionProposed()
            | SlaExtensionRefused()
            | SlaExtensionExpired()
            | SlaBreachAttributed()
            | SlaExtensionAccepted(after_breach=True)
        ):
            return {}
        case (
            SlaArmed()
            | SlaResumed()
            | SlaContinued()
            | SlaRetargeted()
            | SlaExtensionAccepted()
        ):
            return {**whole, due: event.due_at, **_counted(event), **left}
        case SlaBreached():
            return {**whole, due: event.due_at, broken: True, **left}
        case SlaPaused():
            stays = not fresh and getattr(row, broken)
            return whole if stays else {**whole, due: None, **left}
        case SlaMet() | SlaOverran() | SlaCancelled():
            return {**whole, due: None, **left}
        case _:
            assert_never(event)


def _counted(event: SlaEvent) -> Changes:
    """Return the working hours of a promise, if the event contains them."""
    match event:
        case SlaArmed() | SlaRetargeted():
            return {f"{event.target}_hours": f"{event.policy}:{event.calendar}"}
        case _:
            return {}


def _left(row: QueueRow, event: SlaEvent, *, fresh: bool) -> Changes:
    """Return the time left of a paused promise to resolve, None while it runs.

    A new target changes it by the difference, regardless of the calendar.
    """
    if event.target != "ttr":
        return {}
    match event:
        case SlaPaused():
            return {"ttr_left": max(event.left_seconds, 0)}
        case SlaRetargeted(due_at=None) | SlaExtensionAccepted(due_at=None) if (
            row.ttr_left is not None and not fresh
        ):
            more = event.seconds - event.was_seconds
            return {"ttr_left": max(row.ttr_left + more, 0)}
        case _:
            return {"ttr_left": None}
