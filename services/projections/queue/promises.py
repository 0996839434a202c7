"""Applies SLA events to an incident's row in the queue: due dates and breaches.

Uses only the SLA stream, so a row is the same in whichever order streams are read.
"""

from typing import assert_never

from services.projections.queue.row import Changes, QueueRow
from shared.domain import events

_NO_PROMISES: Changes = {
    "tto_due_at": None,
    "ttr_due_at": None,
    "tto_hours": None,
    "ttr_hours": None,
    "tto_breached": False,
    "ttr_breached": False,
    "ttr_left": None,
}


def promise_changes(row: QueueRow, event: events.SlaEvent) -> Changes:
    """Return what an event changes.

    Events of an earlier cycle, about updates to users, or about what support levels
    owe the desk change nothing. A broken promise remains due until it is completed
    late, even while it is paused.
    """
    if event.target not in {"tto", "ttr"} or event.cycle < row.sla_cycle:
        return {}
    due, broken = f"{event.target}_due_at", f"{event.target}_breached"
    fresh = event.cycle > row.sla_cycle
    common = {"sla_cycle": event.cycle, **(_NO_PROMISES if fresh else {})}
    left = _left_changes(row, event, fresh=fresh)
    match event:
        case (
            events.SlaWarned()
            | events.SlaExtensionProposed()
            | events.SlaExtensionRefused()
            | events.SlaExtensionExpired()
            | events.SlaBreachAttributed()
            | events.SlaExtensionAccepted(after_breach=True)
        ):
            return {}
        case (
            events.SlaArmed()
            | events.SlaResumed()
            | events.SlaContinued()
            | events.SlaRetargeted()
            | events.SlaExtensionAccepted()
        ):
            return {**common, due: event.due_at, **_hours_changes(event), **left}
        case events.SlaBreached():
            return {**common, due: event.due_at, broken: True, **left}
        case events.SlaPaused():
            stays = not fresh and getattr(row, broken)
            return common if stays else {**common, due: None, **left}
        case events.SlaMet() | events.SlaOverran() | events.SlaCancelled():
            return {**common, due: None, **left}
        case _:
            assert_never(event)


def _hours_changes(event: events.SlaEvent) -> Changes:
    """Return the working hours of a promise, if the event contains them."""
    match event:
        case events.SlaArmed() | events.SlaRetargeted():
            return {f"{event.target}_hours": f"{event.policy}:{event.calendar}"}
        case _:
            return {}


def _left_changes(row: QueueRow, event: events.SlaEvent, *, fresh: bool) -> Changes:
    """Return the time left of a paused promise to resolve, None while it runs.

    A new target changes it by the difference, regardless of the calendar.
    """
    if event.target != "ttr":
        return {}
    match event:
        case events.SlaPaused():
            return {"ttr_left": max(event.left_seconds, 0)}
        case (
            events.SlaRetargeted(due_at=None) | events.SlaExtensionAccepted(due_at=None)
        ) if row.ttr_left is not None and not fresh:
            more = event.seconds - event.was_seconds
            return {"ttr_left": max(row.ttr_left + more, 0)}
        case _:
            return {"ttr_left": None}
