"""Who was on call is recorded as it happens, or later with the instants of then."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from services.escalation.on_call import recorder, roster_store
from shared.domain.events import OnCallHistoryEvent, is_on_call_history
from shared.domain.events.on_call import OverrideAdded
from shared.domain.identifiers import on_call_history_stream, on_call_stream
from tests.support.builders.june_log import June, june
from tests.support.desks.on_call.recording import GARDE, SAME, TURNS, Observer
from tests.support.policies import full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def month(database: Database) -> Iterator[June]:
    month = June(database)
    with closing(month.log):
        yield month


@pytest.fixture
def observer(month: June) -> Iterator[Observer]:
    observer = Observer(month)
    with closing(observer.log):
        yield observer


def recorded(month: June, schedule: str = "garde") -> list[OnCallHistoryEvent]:
    entries = month.log.history(on_call_history_stream(schedule))
    return [entry.event for entry in entries if is_on_call_history(entry.event)]


def handovers(month: June) -> list[tuple[object, ...]]:
    return [
        (event.at_instant, event.outgoing, event.incoming, event.policy)
        for event in recorded(month)
        if event.type == "on_call.handed_over"
    ]


def test_a_hand_over_is_recorded_once_at_its_instant(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(8, 12)
    observer.looks()
    month.now = june(9, 6)  # eight in Brussels
    observer.looks()
    observer.looks()
    another = Observer(month)
    with closing(another.log):
        another.looks()

    assert handovers(month) == [
        (june(8, 12), (), ("ines",), 1),
        (june(9, 6), ("ines",), ("jos",), 1),
    ]


def test_what_happened_meanwhile_is_recorded_with_the_instants_of_then(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(8, 12)
    observer.looks()
    month.now = june(20)
    month.applied(full_text((TURNS, "participants: [ines]")))
    month.now = june(28)
    month.applied(full_text((TURNS, "participants: [tariq, ines]")))
    month.now = june(30, 12)
    late = Observer(month)
    with closing(late.log):
        late.looks()

    assert handovers(month)[1:] == [
        (june(9, 6), ("ines",), ("jos",), 1),
        (june(20), ("jos",), ("ines",), 2),
        (june(28), ("ines",), ("tariq",), 3),
    ]
    assert {event.at for event in recorded(month)[1:]} == {june(30, 12)}


def test_an_override_hands_over_and_back_also_if_the_service_was_down(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(10)
    observer.looks()
    month.changes(
        june(11),
        "on_call.override_added",
        by="person:tariq",
        schedule="garde",
        override="garde.1",
        kind="replace",
        add="tariq",
        remove="jos",
        start=june(12),
        end=june(13),
    )
    month.now = june(14)
    observer.looks()

    assert handovers(month)[1:] == [
        (june(12), ("jos",), ("tariq",), 1),
        (june(13), ("tariq",), ("jos",), 1),
    ]


def test_a_schedule_that_is_removed_hands_over_to_nobody(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(8)
    observer.looks()
    month.now = june(8, 12)
    month.applied(
        full_text(
            ("garde: {timezone", "nuit: {timezone"),
            ("{schedule: garde, who: on_call}", "{schedule: nuit, who: on_call}"),
            ("{schedule: garde, who: next}", "{schedule: nuit, who: next}"),
        )
    )
    observer.looks()

    assert handovers(month)[-1] == (june(8, 12), ("ines",), (), 2)
    assert recorded(month, "nuit")[0].by == "system:escalation"


def test_a_gap_is_found_once_and_closed_when_the_policy_fills_it(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(8)
    observer.looks()
    month.now = june(8, 12)
    until = TURNS + ', until: "2025-06-10T08:00"'
    month.applied(full_text((TURNS, until)))
    for hour in (12, 13, 14):
        month.now = june(8, hour)
        observer.looks()
    month.now = june(8, 15)
    month.applied()
    observer.looks()

    found = [event for event in recorded(month) if "gap" in event.type]
    assert [(event.type, event.at) for event in found] == [
        ("on_call.gap_found", june(8, 12)),
        ("on_call.gap_closed", june(8, 15)),
    ]
    assert getattr(found[0], "start", None) == june(10, 6)


def test_an_override_made_for_the_past_counts_from_when_it_was_made(
    month: June, observer: Observer
) -> None:
    month.applied()
    month.now = june(8, 12)
    observer.looks()
    month.now = june(8, 14)
    override = OverrideAdded(
        at=month.now,
        by="person:ghislaine",
        schedule="garde",
        override="garde.1",
        kind="replace",
        add="lucas",
        remove="ines",
        start=june(8, 10),
        end=june(8, 20),
    )
    month.log.record(on_call_stream("garde"), 0, [override])
    month.now = june(8, 21)
    late = Observer(month)
    with closing(late.log):
        late.looks()

    assert handovers(month)[1:] == [
        (june(8, 14), ("ines",), ("lucas",), 1),
        (june(8, 20), ("lucas",), ("ines",), 1),
    ]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_schedule_that_fails_loses_no_hand_over_and_keeps_no_other_from_it(
    month: June,
    observer: Observer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_restarted: bool,
) -> None:
    versions_of = roster_store.versions_of

    def unless_garde(cursor: Any, schedule: str, *given: Any) -> Any:
        if schedule == "garde":
            raise ValueError("it cannot be read")
        return versions_of(cursor, schedule, *given)

    month.applied(full_text((GARDE, f"{GARDE}\n  nuit: {SAME}")))
    month.now = june(8, 12)
    observer.looks()
    with monkeypatch.context() as failing:
        failing.setattr(recorder, "versions_of", unless_garde)
        for minute in (0, 1, 2, 3):
            month.now = june(9, 6, minute)
            observer.looks()
        assert observer.recorder.failing == 1
        assert len(recorded(month, "nuit")) == 2
    month.now = june(9, 7)
    later = Observer(month) if is_restarted else observer
    with closing(later.log):
        later.looks()

    assert handovers(month)[1:] == [(june(9, 6), ("ines",), ("jos",), 1)]
    assert later.recorder.failing == 0
