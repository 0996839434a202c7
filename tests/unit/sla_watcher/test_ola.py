"""What support levels owe the desk has clocks of its own, beside what users hear of."""

from typing import Any

from shared.domain import events
from tests.support.builders.promises import VALMONT, Watch, local, shown, valmont

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}
LEVELS = "levels: {n1: 20m, n2: 50%}"
_OLA = "{n1: {own: 10m, work: 30m}, n2: {own: 15m, work: 50%}, n3: {work: 2h}}"
OWED = (LEVELS, f"{LEVELS}\n    ola: {_OLA}")


def watching(*changes: tuple[str, str]) -> Watch:
    watch = Watch(valmont(OWED, *changes))
    watch.opened("09:10", **MONITORED)
    return watch


def escalated(watch: Watch, when: str, level: str = "n2", **words: Any) -> list[str]:
    given: dict[str, Any] = {
        "cycle": 1,
        "from_level": "n1",
        "to_level": level,
        "team": "support",
        "cause": "by_hand",
        "escalated_at": local(when),
    }
    return _owed(watch.happens(when, events.Escalated, **(given | words)))


def returned(watch: Watch, when: str) -> list[str]:
    given: dict[str, Any] = {
        "cycle": 1,
        "from_level": "n2",
        "to_level": "n1",
        "team": "desk",
        "returned_at": local(when),
    }
    return _owed(watch.happens(when, events.EscalationReturned, **given))


def accepted(watch: Watch, when: str, **words: Any) -> list[str]:
    given = {"cycle": 1, "level": "n2", "person": "amina", "how": "accepted"}
    return _owed(watch.happens(when, events.EscalationAccepted, **(given | words)))


def _owed(said: list[str]) -> list[str]:
    return [line for line in said if line.startswith("ola_")]


def state(watch: Watch, target: str, cycle: int = 1) -> str:
    return watch.clock(target, cycle).state


def test_the_desk_owes_from_the_report_on() -> None:
    watch = watching()

    assert shown(watch.clock("ola_n1_own").due_at) == "09:20"
    assert shown(watch.clock("ola_n1_work").due_at) == "09:40"
    assert watch.clocks("ola_n2_own") == []


def test_where_nothing_is_agreed_nothing_is_owed() -> None:
    watch = Watch(VALMONT)
    watch.opened("09:10", **MONITORED)

    assert escalated(watch, "09:20") == []
    assert {c.name.target for c in watch.desk.case.clocks} == {"tto", "ttr"}  # type: ignore[union-attr] # it was opened


def test_who_acknowledges_keeps_what_the_desk_owes() -> None:
    watch = watching()

    watch.happens("09:15", events.IncidentAcknowledged)

    assert state(watch, "ola_n1_own") == "met"
    assert _owed(watch.passes("10:00")) == ["ola_n1_work breached 09:40"]


def test_passing_it_on_ends_what_one_level_owes_and_begins_what_the_next_does() -> None:
    watch = watching()

    assert escalated(watch, "09:15") == [
        "ola_n2_own armed 09:30",
        "ola_n2_work armed 12:15",
        "ola_n1_own cancelled 09:15",
        "ola_n1_work met 09:15",
    ]
    assert watch.clock("ola_n1_own").cancelled_for == "escalated"


def test_each_time_it_comes_to_a_level_the_level_owes_anew() -> None:
    watch = watching()
    escalated(watch, "09:15")
    accepted(watch, "09:20")

    assert returned(watch, "09:25") == [
        "ola_n1_own armed 09:35",
        "ola_n1_work armed 09:55",
        "ola_n2_work met 09:25",
    ]
    watch.happens("09:30", events.IncidentAcknowledged)
    assert escalated(watch, "09:40") == [
        "ola_n2_own armed 09:55",
        "ola_n2_work armed 12:40",
        "ola_n1_work met 09:40",
    ]
    rounds = [(c.name.round, str(c.state)) for c in watch.clocks("ola_n2_own")]
    assert rounds == [(1, "met"), (2, "running")]


def test_who_acknowledged_it_need_not_do_so_again_when_it_comes_back() -> None:
    watch = watching()
    watch.happens("09:12", events.IncidentAcknowledged)
    escalated(watch, "09:15")

    assert "ola_n1_own armed 09:35" not in returned(watch, "09:25")


def test_accepting_keeps_what_the_level_owes_and_not_tto() -> None:
    watch = watching()
    escalated(watch, "09:15")

    assert accepted(watch, "09:25") == ["ola_n2_own met 09:25"]
    assert state(watch, "tto") == "running"
    assert accepted(watch, "09:26") == []


def test_a_level_that_does_not_take_it_on_breaks_what_it_owes_once() -> None:
    watch = watching()
    escalated(watch, "09:15")

    assert _owed(watch.passes("09:40")) == ["ola_n2_own breached 09:30"]
    assert accepted(watch, "09:45") == ["ola_n2_own overran 09:45"]
    assert watch.clock("ola_n2_own").overrun_seconds == 15 * 60


def test_who_was_at_another_level_or_cycle_accepts_nothing_here() -> None:
    watch = watching()
    escalated(watch, "09:15")

    assert accepted(watch, "09:20", level="n3") == []
    assert accepted(watch, "09:20", cycle=2) == []
    assert escalated(watch, "09:21", level="n3", cycle=2) == []


def test_a_pause_stops_the_work_and_not_the_taking_on() -> None:
    watch = watching()
    escalated(watch, "09:15")

    paused = _owed(
        watch.happens("09:20", events.IncidentPaused, reason="user", question="?")
    )
    assert paused == ["ola_n2_work paused 09:20"]

    watch.happens("10:20", events.IncidentResumed, cause="reply")
    assert shown(watch.clock("ola_n2_work").due_at) == "13:15"


def test_what_comes_to_a_level_while_it_waits_stands_from_then_on() -> None:
    watch = watching()
    watch.happens("09:12", events.IncidentPaused, reason="user", question="?")

    watch.passes("09:30")

    assert escalated(watch, "09:30") == [
        "ola_n2_own armed 09:45",
        "ola_n2_work armed 12:30",
        "ola_n1_own overran 09:30",
        "ola_n1_work met 09:30",
        "ola_n2_work paused 09:30",
    ]
    assert watch.clock("ola_n1_work").elapsed_seconds == 2 * 60


def test_service_that_comes_back_ends_both_and_a_relapse_goes_on_with_them() -> None:
    watch = watching()
    escalated(watch, "09:15")

    back = _owed(
        watch.happens("09:25", events.IncidentRestored, by="source:prometheus")
    )
    assert back == ["ola_n2_own cancelled 09:25", "ola_n2_work met 09:25"]

    again = _owed(watch.happens("09:35", events.IncidentRelapsed))
    assert again == ["ola_n2_own continued 09:35", "ola_n2_work continued 09:35"]
    assert shown(watch.clock("ola_n2_own").due_at) == "09:40"


def test_what_went_on_while_service_was_back_is_owed_from_the_relapse_on() -> None:
    watch = watching()
    watch.happens("09:20", events.IncidentAcknowledged)
    watch.happens("09:25", events.IncidentRestored)

    assert escalated(watch, "09:30") == []
    assert _owed(watch.happens("10:00", events.IncidentRelapsed)) == [
        "ola_n2_own armed 10:15",
        "ola_n2_work armed 13:00",
    ]


def test_a_new_cycle_begins_at_the_desk_again() -> None:
    watch = watching()
    escalated(watch, "09:15")
    watch.happens("10:00", events.IncidentResolved, cycle=1)

    watch.happens(
        "11:00", events.IncidentReopened, cycle=2, cause="agent", after_closure=False
    )

    assert state(watch, "ola_n2_work") == "met"
    assert shown(watch.clock("ola_n1_work", 2).due_at) == "11:30"


def test_another_priority_sets_what_is_owed_anew() -> None:
    watch = watching()
    escalated(watch, "09:15")

    words = {"service": "paie", "impact": "high", "urgency": "high", "priority": "p1"}
    said = _owed(watch.happens("09:20", events.IncidentClassified, **words))

    assert "ola_n2_work retargeted 09:20" in said
    assert shown(watch.clock("ola_n2_work").due_at) == "11:15"


def test_what_is_cancelled_is_owed_by_nobody() -> None:
    watch = watching()
    escalated(watch, "09:15")

    gone = _owed(watch.happens("09:20", events.IncidentCancelled, reason="test"))

    assert gone == ["ola_n2_own cancelled 09:20", "ola_n2_work cancelled 09:20"]


def test_what_is_split_off_was_taken_on_before_and_comes_to_the_desk_anew() -> None:
    watch = Watch(valmont(OWED))
    watch.opened("09:10", split_from="INC-000001", origin="split")

    assert watch.clocks("ola_n1_own") == []


def test_levels_owe_without_warnings() -> None:
    watch = watching()

    watch.passes("12:00")

    owed = [each for each in watch.said if each.target.startswith("ola_")]
    assert not any(each.type == "sla.warned" for each in owed)
