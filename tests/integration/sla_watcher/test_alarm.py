"""Timers on a real PostgreSQL: at their instant, once, and never without reading on."""

import pytest

from shared.domain.events.incident import IncidentAcknowledged, IncidentAssigned
from shared.process_manager.worker import WakeResult
from tests.support.builders.promises import local
from tests.support.desks.watching import MINUTE, SlaDesk, happened, opened

pytestmark = pytest.mark.servers


def test_a_promise_is_kept_at_its_last_instant_and_broken_a_second_later(
    desk: SlaDesk,
) -> None:
    desk.happens(opened(1, desk.now))
    desk.walk(local("09:30"))
    assert desk.wake() == 0
    assert desk.types() == ["tto armed", "ttr armed", "tto warned"]

    desk.now = local("09:30:01")

    assert desk.wake() == 1
    assert desk.types()[3:] == ["tto breached"]
    assert desk.said()[3][2]["breached_at"] == local("09:30")
    assert desk.wake() == 0


def test_the_reader_is_told_of_decisions_by_the_clock_and_of_nothing_else(
    desk: SlaDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(desk.worker, "appended", lambda: told.append(1))
    desk.happens(opened(1, desk.now))
    desk.read()
    desk.wake()
    assert told == []

    desk.now = local("09:30:01")
    desk.wake()
    assert told == [1]


def test_each_timer_comes_at_its_instant_whatever_comes_between(desk: SlaDesk) -> None:
    for number in (1, 2, 3):
        desk.happens(opened(number, desk.now))
        desk.walk(desk.now + MINUTE)

    desk.walk(local("09:33"))

    breaches = [desk.said(number)[3][2]["breached_at"] for number in (1, 2, 3)]
    assert breaches == [local("09:30"), local("09:31"), local("09:32")]


def test_what_is_recorded_and_not_read_yet_is_waited_for(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    desk.walk(local("09:29"))
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    desk.now = local("09:31")

    assert desk.worker.wake() == WakeResult(due=1, behind=1)
    assert desk.types()[-1] == "tto warned"

    desk.read()
    desk.wake()
    assert desk.types()[-1] == "tto met"
    assert desk.said()[-1][2]["met_at"] == local("09:29")


def test_what_waits_for_the_reader_does_not_turn_in_circles(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    desk.read()
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    desk.now = local("09:31")

    assert desk.wake() == 1


def test_a_timer_that_was_due_before_the_case_was_read_comes_at_once(
    desk: SlaDesk,
) -> None:
    desk.happens(opened(1, desk.now))
    desk.now = local("09:05")
    desk.happens(happened(IncidentAssigned, 1, desk.now, team="desk"))
    desk.now = local("12:00")
    desk.read(batch=1)

    assert desk.wake() == 1
    assert desk.types()[2:] == ["tto warned", "tto breached"]
    assert desk.said()[3][2]["breached_at"] == local("09:30")


def test_nobody_at_work_no_promise_passes(desk: SlaDesk) -> None:
    desk.walk(local("17:50"))
    desk.happens(opened(1, desk.now))

    desk.walk(local("07-01 08:20:01"))

    assert desk.types()[-1] == "tto breached"
    assert desk.said()[-1][2]["breached_at"] == local("07-01 08:20")
