"""Closing what is resolved, and cancelling what was none."""

from shared.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentPaused,
    IncidentResolved,
    IncidentResumed,
)
from shared.wishes import Cancel, Close

from .spec import event, given, opened

acknowledged = event(IncidentAcknowledged)
paused = event(IncidentPaused, reason="vendor")
resolved = event(IncidentResolved, cycle=1)
closed = event(IncidentClosed, note="content")
cancelled = event(IncidentCancelled, reason="duplicate", note="of another")
close = Close(note="content")
cancel = Cancel(reason="duplicate", note="of another")


def test_what_is_resolved_is_closed() -> None:
    given(opened(), resolved).when(close).then(closed)


def test_what_is_not_resolved_is_not_closed() -> None:
    given(opened(), acknowledged).when(close).then_refused("resolve it first")


def test_closing_twice_changes_nothing() -> None:
    given(opened(), resolved, closed).when(close).then()


def test_what_was_cancelled_is_not_closed() -> None:
    given(opened(), cancelled).when(close).then_refused("nothing left to end")


def test_what_was_none_is_cancelled() -> None:
    given(opened()).when(cancel).then(cancelled)


def test_cancelling_ends_the_pause() -> None:
    given(opened(), acknowledged, paused).when(cancel).then(
        event(IncidentResumed, cause="cancelled"), cancelled
    )


def test_cancelling_twice_changes_nothing() -> None:
    given(opened(), cancelled).when(cancel).then()


def test_what_is_resolved_is_not_cancelled() -> None:
    given(opened(), resolved).when(cancel).then_refused("close it instead")
