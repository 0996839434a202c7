"""It was not over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.intake.records.signal import Signal
from services.intake.records.system_command import Trigger
from shared.domain import events
from shared.domain.commands.incident import Reopen
from shared.domain.incident import Status, replay
from tests.support.policies import full
from tests.unit.intake.commands.scenario import (
    KEY,
    LATER,
    MONITOR,
    ROUND_THE_CLOCK,
    When,
    event,
    given,
    opened,
)

acknowledged = event(events.IncidentAcknowledged)
restored = event(events.IncidentRestored)
resolved = event(events.IncidentResolved, cycle=1)
a_day_later = LATER + timedelta(days=1)
closed = event(events.IncidentClosed, at=a_day_later)
past = (opened(), acknowledged, restored, resolved)
WINDOW = ROUND_THE_CLOCK.reopen_within
SECOND = timedelta(seconds=1)
reopened = event(
    events.IncidentReopened, cycle=2, cause="agent", reason="no", after_closure=False
)


def reopening(*more: events.IncidentClosed, after: timedelta) -> When:
    when = given(*past, *more).when(Reopen(reason="no"), at=LATER + after)
    return replace(when, policy=ROUND_THE_CLOCK)


def test_what_is_resolved_is_reopened_within_the_window() -> None:
    reopening(after=WINDOW).then(reopened.model_copy(update={"at": LATER + WINDOW}))


def test_later_than_that_a_new_incident_is_opened() -> None:
    reopening(after=WINDOW + SECOND).then_refused("open a new incident and", "window")


def test_the_window_of_a_closed_one_begins_with_its_closure() -> None:
    after = timedelta(days=1) + WINDOW

    (decided,) = reopening(closed, after=after).events()

    assert isinstance(decided, events.IncidentReopened)
    assert decided.after_closure
    reopening(closed, after=after + SECOND).then_refused(
        "was closed too long ago", "window"
    )


def test_it_may_be_the_users_word() -> None:
    (decided,) = given(*past).when(Reopen(cause="user")).events()

    assert isinstance(decided, events.IncidentReopened)
    assert decided.cause == "user"


def test_reopening_what_is_open_changes_nothing() -> None:
    given(opened(), acknowledged).when(Reopen()).then()


def test_reopening_twice_changes_nothing() -> None:
    given(*past, reopened).when(Reopen(reason="no")).then()


def test_a_new_cycle_begins_with_nobody_and_nothing_done() -> None:
    incident = replay([*past, closed, reopened])

    assert incident is not None
    assert (incident.status, incident.cycle) == (Status.NEW, 2)
    assert (incident.acknowledged_by, incident.acknowledged_at) == (None, None)
    ended = (incident.restored_at, incident.resolved_at, incident.closed_at)
    assert ended == (None, None, None)


above = event(events.IncidentAssigned, team="editeur", assignee="lucas")
to_the_desk = event(events.IncidentAssigned, team="accueil")


def test_it_begins_at_the_desk_again_whoever_above_had_it() -> None:
    given(opened(), above, acknowledged, restored, resolved).when(Reopen()).then(
        reopened.model_copy(update={"reason": None}), to_the_desk
    )


def test_it_begins_at_the_desk_of_today_if_the_policy_dropped_its_own() -> None:
    begun = opened(team="ancien")

    given(begun, acknowledged, restored, resolved).when(Reopen()).then(
        reopened.model_copy(update={"reason": None}), to_the_desk
    )


def test_so_it_does_where_a_signal_reopens_it() -> None:
    signal = Signal(source="prom", dedup_key="k1", action="trigger", title="down")
    when = given(opened(), above, acknowledged, restored, resolved).when(
        Trigger(signal, KEY, LATER), by=MONITOR
    )

    when.then_types("reopened", "assigned")


def test_whoever_of_the_desk_had_it_has_it_again() -> None:
    mine = event(events.IncidentAssigned, team="accueil", assignee="wim")

    given(opened(), mine, acknowledged, restored, resolved).when(Reopen()).then_types(
        "reopened"
    )


def test_a_cancelled_incident_is_not_reopened() -> None:
    cancelled = event(events.IncidentCancelled, reason="not_an_incident")

    given(opened(), cancelled).when(Reopen()).then_refused("open a new incident")


def test_no_signal_reopens_it_later_than_that() -> None:
    signal = Signal(source="prom", dedup_key="k1", action="trigger", title="down")
    at = LATER + WINDOW + SECOND

    when = given(*past).when(Trigger(signal, KEY, at), at=at, by=MONITOR)

    replace(when, policy=ROUND_THE_CLOCK).then_refused(
        "open one that follows it", "window"
    )


# Resolved on a Friday at 13:00 in Mons, whose desk closes at 16:00; 36 h 30 min of its
# hours are used up on the Friday after, at 10:00.
friday = datetime(2025, 7, 4, 11, tzinfo=UTC)
a_week_later = datetime(2025, 7, 11, 8, tzinfo=UTC)
on_friday = (
    opened(),
    restored.model_copy(update={"at": friday}),
    resolved.model_copy(update={"at": friday}),
)


def test_the_window_is_open_hours_of_the_contract() -> None:
    within = given(*on_friday).when(Reopen(), at=a_week_later)
    too_late = given(*on_friday).when(Reopen(), at=a_week_later + SECOND)
    policy = full(("36h30m\n  calendar: jour", "36h30m\n  calendar: toujours"))

    replace(within, policy=policy).then_types("reopened")
    replace(too_late, policy=policy).then_refused("too long ago", "window")


def test_without_a_contract_it_is_open_hours_of_the_desk() -> None:
    own = tuple(each.model_copy(update={"client": "nobody"}) for each in on_friday[:1])
    too_late = given(*own, *on_friday[1:]).when(Reopen(), at=a_week_later + SECOND)

    too_late.then_refused("too long ago", "window")


def test_without_any_hours_it_is_the_wall_clock() -> None:
    policy = full(("36h30m\n  calendar: jour", "36h30m"))
    own = (opened(service="unknown"), *on_friday[1:])
    within = given(*own).when(Reopen(), at=friday + WINDOW)
    too_late = given(*own).when(Reopen(), at=friday + WINDOW + SECOND)

    replace(within, policy=policy).then_types("reopened")
    replace(too_late, policy=policy).then_refused("too long ago", "window")
