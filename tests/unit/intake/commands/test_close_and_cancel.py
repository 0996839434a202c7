"""Closing what is resolved, and cancelling what was none."""

from typing import Any

from services.intake.records.system_command import CloseSilent
from shared.domain import events
from shared.domain.commands.incident import Cancel, Close
from tests.unit.intake.commands.scenario import called, event, given, opened, reported

acknowledged = event(events.IncidentAcknowledged)
paused = event(events.IncidentPaused, reason="vendor")
resolved = event(events.IncidentResolved, cycle=1)
closed = event(events.IncidentClosed, note="content")
cancelled = event(events.IncidentCancelled, reason="duplicate", note="of another")
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
        event(events.IncidentResumed, cause="cancelled"), cancelled
    )


def test_cancelling_twice_changes_nothing() -> None:
    given(opened(), cancelled).when(cancel).then()


def test_what_is_resolved_is_not_cancelled() -> None:
    given(opened(), resolved).when(cancel).then_refused("close it instead")


silent = CloseSilent(cycle=1)


def test_what_stays_silent_is_closed_by_the_desk_itself() -> None:
    by_itself = event(events.IncidentClosed, by="system:intake", cause="silence")

    given(opened(), resolved).when(silent, by="system:intake").then(by_itself)


def test_a_user_who_answered_just_before_is_not_silent() -> None:
    given(opened(), resolved, called()).when(silent).then()


def test_resolved_anew_it_is_silent_anew() -> None:
    again = event(events.IncidentReopened, cycle=2, cause="agent", after_closure=False)
    resolved_again = event(events.IncidentResolved, cycle=2)
    past = (opened(), resolved, called(), again, resolved_again)

    given(*past).when(silent).then()
    given(*past).when(CloseSilent(cycle=2)).then_types("closed")


def test_an_agent_may_close_what_was_answered() -> None:
    given(opened(), resolved, called()).when(close).then(closed)


def test_a_user_closes_what_only_they_reported() -> None:
    user: dict[str, Any] = {"by": "person:lefevre", "roles": ()}
    alone, shared = (reported(), resolved), (reported(), called("costa"), resolved)

    given(*alone).when(Close(), **user).then_types("closed")
    given(*shared).when(Close(), **user).then_refused("others reported", "role")
    given(*shared).when(Close(), by="person:costa").then_types("closed")
