"""What no other desk tests, continued: what comes at once, twice or over again.

The first half, and where more of it is, is in `test_edge_cases.py`.
"""

from datetime import timedelta

import pytest

from shared.domain import events
from tests.support.builders.extensions import classified, payroll
from tests.support.builders.promises import Watch, local, shown, valmont
from tests.support.strategies.odd_clock_turns import (
    MONITORED,
    moved,
    paused,
    resumed,
    taken,
    ttr_due,
)

# What arrives at once, twice, or out of order


def test_two_changes_at_the_same_instant_count_in_the_order_of_the_log() -> None:
    watch = taken()
    classified(watch, "10:00", "p3")
    classified(watch, "10:00", "p2")
    watch.happens("10:00", events.IncidentRestored)
    watch.happens("10:00", events.IncidentRelapsed)

    clock = watch.clock("ttr")
    assert (clock.state, clock.seconds, ttr_due(watch)) == ("running", 21_600, "15:10")


def test_taken_on_at_the_very_last_instant_is_in_time() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED)

    assert "tto met 09:40" in watch.happens("09:40", events.IncidentAcknowledged)


def test_a_resume_without_a_pause_changes_nothing_and_the_next_pause_counts() -> None:
    watch = taken()

    assert resumed(watch, "09:30") == []
    assert ttr_due(watch) == "15:10"
    paused(watch, "10:00")
    resumed(watch, "11:00")
    assert ttr_due(watch) == "16:10"


def test_a_resume_that_is_delivered_again_ends_no_later_pause() -> None:
    watch = taken()
    paused(watch, "09:30")
    resumed(watch, "09:40")
    late = watch.log[-1]
    paused(watch, "10:00")

    watch.desk.take(late, local("10:10"))

    assert watch.clock("ttr").state == "paused"


def test_whatever_is_delivered_again_is_heard_once() -> None:
    watch = taken()
    paused(watch, "10:00")
    resumed(watch, "11:00")
    said, clocks = len(watch.desk.decided), watch.clocks("ttr")

    for entry in [*watch.log, *reversed(watch.log)]:
        watch.desk.take(entry, local("11:30"))

    assert (len(watch.desk.decided), watch.clocks("ttr")) == (said, clocks)


@pytest.mark.parametrize("skew", [timedelta(hours=-3), timedelta(hours=3)])
def test_clocks_of_publishers_that_are_wrong_move_nothing(skew: timedelta) -> None:
    watch = taken()
    for when, kind, words in (
        ("10:00", events.IncidentPaused, {"reason": "user", "question": "?"}),
        ("11:00", events.IncidentResumed, {"cause": "reply"}),
    ):
        watch.happens(when, kind, **words, at=local(when) + skew)
    assert ttr_due(watch) == "16:10"

    watch.happens("15:00", events.IncidentRestored, at=local("15:00") + skew)
    assert shown(watch.clock("ttr").ended_at) == "15:00"


# Another target, more time, no contract


def test_another_target_while_it_stands_has_its_instant_when_it_goes_on() -> None:
    watch = taken()
    paused(watch, "09:30")
    classified(watch, "09:40", "p3")
    assert ttr_due(watch) is None
    resumed(watch, "10:00")

    assert ttr_due(watch) == "07-01 11:40"


def test_another_target_between_warning_and_breach_warns_once_more() -> None:
    watch = taken()
    assert watch.passes("13:45") == ["ttr warned 75 % 13:40"]
    classified(watch, "14:00", "p3")

    assert watch.passes("07-01 11:00") == ["ttr warned 75 % 07-01 08:10"]
    assert watch.passes("07-01 11:11") == ["ttr breached 07-01 11:10"]


def test_a_contract_that_does_not_name_the_pause_lets_it_go_on_from_then() -> None:
    strict = "  strict:\n    tto: {p1: 1h, p2: 1h, p3: 1h, p4: 1h}\n"
    strict += "    ttr: {p1: 6h, p2: 6h, p3: 6h, p4: 6h, paused_by: []}\n"
    ville = "  ville: {client: ville, from: 2025-01-01, services: [paie], "
    ville += "calendar: always, targets: strict}\n"
    watch = taken(
        policy=valmont(
            ("services:\n  portail:", f"{strict}services:\n  portail:"),
            ("  boreale: {client", f"{ville}  boreale: {{client"),
        )
    )
    moved(watch, "09:10", "mairie-valmont")
    paused(watch, "09:20")
    resumed(watch, "09:30")
    paused(watch, "10:00")
    moved(watch, "10:30", "ville")

    assert (watch.clock("ttr").state, ttr_due(watch)) == ("running", "15:50")


def test_more_time_agreed_on_while_it_stands_is_moved_by_the_rest_of_the_pause() -> (
    None
):
    watch = payroll()
    paused(watch, "10:00")
    watch.accepts("14:05", watch.proposes("14:00", "07-01 10:00"))
    assert ttr_due(watch) is None
    resumed(watch, "15:00")

    assert ttr_due(watch) == "07-01 10:55"


def test_more_time_agreed_on_after_the_breach_does_not_undo_it() -> None:
    watch = payroll()
    watch.passes("15:30")
    watch.accepts("15:45", watch.proposes("15:40", "07-01 10:00"))
    watch.happens("16:10", events.IncidentRestored)

    clock = watch.clock("ttr")
    assert (clock.state, shown(clock.breached_at)) == ("breached", "15:10")
    assert (clock.overrun_seconds, shown(clock.agreed_due_at)) == (
        3_600,
        "07-01 10:00",
    )


def test_detached_and_attached_again_it_goes_on_as_though_it_never_was() -> None:
    watch = taken()
    assert moved(watch, "10:00", "somebody-else") == ["ttr cancelled 10:00"]
    assert moved(watch, "11:00", "mairie-valmont") == ["ttr continued 11:00"]

    assert ttr_due(watch) == "15:10"
    assert watch.passes("15:11")[-1] == "ttr breached 15:10"


def test_a_pause_that_ends_while_it_is_detached_is_as_long_as_it_was() -> None:
    watch = taken()
    paused(watch, "10:10")
    moved(watch, "10:20", "somebody-else")
    resumed(watch, "10:40")
    paused(watch, "11:00")
    resumed(watch, "11:05")
    moved(watch, "11:30", "mairie-valmont")

    assert ttr_due(watch) == "15:45"


def test_a_pause_that_lasts_while_it_is_attached_again_goes_on() -> None:
    watch = taken()
    paused(watch, "10:10")
    moved(watch, "10:20", "somebody-else")
    moved(watch, "10:30", "mairie-valmont")
    assert ttr_due(watch) is None
    resumed(watch, "11:10")

    assert ttr_due(watch) == "16:10"
