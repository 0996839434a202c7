"""A trouble that goes up and down is told once, and believed once it holds."""

from datetime import timedelta

from shared.domain.commands.incident import Merge, Open, Split
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
    IncidentRecovered,
)
from shared.domain.incident import Status
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    FIRST,
    K1,
    Trouble,
    at_desk,
    types,
)

FLAPS = ", hold_down: 10m, flapping: {changes: 4, within: 20m}"
UNHELD = ", flapping: {changes: 4, within: 20m}"


def up_and_down(trouble: Trouble, *minutes: int) -> None:
    """Let it fire and recover at once, at these minutes after NINE."""
    for minute in minutes:
        trouble.waits(NINE + minute * A_MINUTE - trouble.now)
        trouble.hears("trigger")
        trouble.hears("resolve")


def test_the_day_the_tunnel_flapped() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 8, 16, 24, 31, 38)
    assert trouble.incident.flapping
    assert set(trouble.desk.incidents) == {FIRST}

    assert trouble.waits(9 * A_MINUTE) == []
    events = trouble.waits(A_MINUTE)
    assert types(events) == ["flapping_ended", "recovered", "restored", "resolved"]
    ended, recovered = events[0], events[1]
    assert isinstance(ended, IncidentFlappingEnded)
    assert isinstance(recovered, IncidentRecovered)
    assert (ended.changes, ended.since) == (11, NINE)
    assert ended.held_until == recovered.held_until == NINE + 48 * A_MINUTE
    assert recovered.rule == "flapping"
    assert not trouble.incident.flapping
    started = [e for e in trouble.desk.log if isinstance(e, IncidentFlappingStarted)]
    assert [(e.changes, e.since, e.at) for e in started] == [
        (4, NINE, NINE + 16 * A_MINUTE)
    ]


def test_slower_than_that_is_no_flapping() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 30, 60, 90)

    assert not [e for e in trouble.desk.log if isinstance(e, IncidentFlappingStarted)]


def test_one_that_stays_down_is_calm_too() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 5, 9)
    trouble.hears("trigger")

    assert types(trouble.waits(timedelta(minutes=10))) == ["flapping_ended"]
    assert trouble.incident.status is Status.NEW
    assert not trouble.incident.flapping


def test_where_recoveries_are_believed_they_are_not_while_it_flaps() -> None:
    trouble = at_desk(UNHELD)
    up_and_down(trouble, 0, 1)
    trouble.hears("trigger")
    assert trouble.incident.flapping
    assert trouble.hears("resolve").outcome == "held"
    assert trouble.incident.status is Status.NEW

    assert types(trouble.waits(timedelta(minutes=20)))[-1] == "resolved"


def test_calm_it_begins_to_count_from_nothing() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 5, 9)
    trouble.waits(timedelta(minutes=10))
    up_and_down(trouble, 20)

    assert not trouble.incident.flapping


def test_what_is_split_off_takes_its_flapping_along() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 5, 9)
    split = Split(title="another story", signal_keys=(K1,))
    trouble.desk.take(trouble.command(split, FIRST, new="INC-000500"))

    assert not trouble.desk.incidents[FIRST].flapping
    events = trouble.waits(timedelta(minutes=10))
    assert {event.incident for event in events} == {"INC-000500"}


def test_merged_away_it_no_longer_flaps() -> None:
    trouble = at_desk(FLAPS)
    up_and_down(trouble, 0, 5, 9)
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))

    assert not trouble.desk.incidents[FIRST].flapping
