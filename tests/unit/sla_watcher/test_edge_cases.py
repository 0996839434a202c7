"""What no other desk tests: each odd turn of a clock once, whole, by its own name.

The list is that of a comparison of nine systems; its second half, what comes at once,
twice or over again, is in `test_edge_cases_of_order.py`. More arithmetic is in
`tests/unit/shared/domain/test_working_time.py`, any history in `tests/property/`; that
what the bus repeats or reorders is put in order again is shown in
`tests/integration/messaging/`.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.intake.policy.expansion import expanded
from shared.domain.events.incident import IncidentAcknowledged, IncidentRestored
from shared.domain.identifiers import sla_stream
from shared.domain.policy.validation import read
from shared.domain.working_time import due, hours_of
from tests.support.builders.promise_events import told
from tests.support.builders.promises import (
    FILE,
    INCIDENT,
    VALMONT,
    Watch,
    local,
    valmont,
)
from tests.support.strategies.odd_clock_turns import (
    MONITORED,
    moved,
    paused,
    resumed,
    taken,
    ttr_due,
)

MINUTE = 60
WEEK = '{mon-fri: ["08:00-18:00"]}'
NAMES_USER = "stops_at: restored, paused_by: [user]"


# Windows, and what opens and closes


def test_an_overnight_window_is_one_window() -> None:
    nights = valmont((WEEK, '{mon-fri: ["22:00-06:00"]}'))
    watch = taken("21:00", nights)

    assert ttr_due(watch) == "07-01 04:00"

    paused(watch, "23:30")
    resumed(watch, "07-01 00:30")
    assert ttr_due(watch) == "07-01 05:00"


def test_a_part_day_holiday_stops_nothing_twice() -> None:
    lunch = valmont(('"12-24 12:00-24:00"', '"12-24 12:00-24:00", "06-30 12:00-14:00"'))
    watch = taken(policy=lunch)

    assert ttr_due(watch) == "17:10"

    paused(watch, "11:30")
    resumed(watch, "13:00")
    assert ttr_due(watch) == "17:40"


def test_an_extra_opening_on_a_closed_day_counts() -> None:
    opened = 'closed: ["06-30"], open: ["2025-06-30 09:00-12:00"]'
    watch = taken(policy=valmont(('closed: ["12-24 12:00-24:00"]', opened)))

    assert ttr_due(watch) == "07-01 11:10"


@pytest.mark.parametrize(
    ("start", "since", "until", "ends"),
    [
        # Forward at 02:00: the window has seven hours, and the pause one.
        ("03-29 22:00", "03-30 01:30", "03-30 03:30", "03-30 06:00"),
        # Back at 03:00: it has nine, and the pause two.
        ("10-25 22:00", "10-26 02:30", "10-26 03:30", "10-26 05:00"),
    ],
)
def test_a_window_across_changing_clocks_with_a_pause_inside(
    start: str, since: str, until: str, ends: str
) -> None:
    watch = taken(start, valmont((WEEK, '{sat: ["22:00-06:00"]}')))
    paused(watch, since)
    resumed(watch, until)

    assert ttr_due(watch) == ends


def test_a_calendar_without_any_open_time_is_refused() -> None:
    days = (date(2024, 1, 1) + timedelta(days=number) for number in range(366))
    every_day = ", ".join(f'"{day:%m-%d}"' for day in days)
    closed = valmont(('"12-24 12:00-24:00"', every_day))

    ((path, sentence),) = expanded(closed, date(2025, 6, 30))

    assert path == ("calendars", "paris")
    assert "never open" in sentence


def test_a_target_of_nothing_is_refused_and_nothing_is_due_at_the_next_opening() -> (
    None
):
    text = FILE.read_text(encoding="utf-8").replace("ttr:    {p1: 4h", "ttr: {p1: 0m")
    refused = read(text)
    assert isinstance(refused, list)
    (mistake,) = refused
    hours = hours_of(VALMONT.calendars["paris"])

    assert "longer than nothing" in mistake.sentence
    assert due(hours, local("28 12:00"), 0) == local("08:00")


# Pauses


def test_a_pause_without_an_end_lets_nothing_warn_or_break() -> None:
    watch = taken()
    paused(watch, "10:00")

    assert watch.passes("12-31 10:00") == []
    assert (watch.clock("ttr").state, ttr_due(watch)) == ("paused", None)


def test_a_pause_that_began_before_anything_was_promised_counts_from_the_start() -> (
    None
):
    watch = Watch()
    watch.opened("09:10", **MONITORED, client="somebody-else")
    watch.happens("09:10", IncidentAcknowledged)
    paused(watch, "09:30")
    moved(watch, "10:00", "mairie-valmont")

    assert (watch.clock("ttr").state, ttr_due(watch)) == ("paused", None)
    resumed(watch, "11:00")
    assert ttr_due(watch) == "16:40"


def test_a_pause_that_was_over_before_anything_was_promised_counts_as_well() -> None:
    watch = Watch()
    watch.opened("09:10", **MONITORED, client="somebody-else")
    watch.happens("09:10", IncidentAcknowledged)
    paused(watch, "09:30")
    resumed(watch, "09:50")
    moved(watch, "10:00", "mairie-valmont")

    assert ttr_due(watch) == "15:30"


def test_a_pause_after_the_breach_is_not_in_the_overrun() -> None:
    watch = taken()
    watch.passes("15:30")
    paused(watch, "16:00")
    resumed(watch, "17:00")
    watch.happens("17:30", IncidentRestored)

    assert watch.clock("ttr").overrun_seconds == 80 * MINUTE


def test_of_pauses_within_each_other_each_stops_what_it_is_named_for() -> None:
    inside = taken()
    paused(inside, "10:00", "vendor")
    paused(inside, "10:30")
    resumed(inside, "11:00")
    assert ttr_due(inside) == "15:40"

    around = taken()
    paused(around, "10:00")
    paused(around, "10:30", "vendor")
    resumed(around, "11:00")
    assert ttr_due(around) == "15:40"


def test_pauses_of_two_named_reasons_that_follow_each_other_are_told_apart() -> None:
    both = valmont((NAMES_USER, "stops_at: restored, paused_by: [user, vendor]"))
    watch = taken(policy=both)
    paused(watch, "10:00")
    assert paused(watch, "10:30", "vendor") == ["ttr resumed 10:30", "ttr paused 10:30"]
    resumed(watch, "11:00")

    assert ttr_due(watch) == "16:10"
    assert [stop.why for stop in watch.clock("ttr").stopped] == ["user", "vendor"]


def test_the_same_pause_said_twice_is_one() -> None:
    watch = taken()
    paused(watch, "10:00")
    assert paused(watch, "10:20") == []
    resumed(watch, "11:00")

    assert ttr_due(watch) == "16:10"


def test_a_pause_of_no_length_changes_nothing() -> None:
    watch = taken()
    paused(watch, "10:00")
    resumed(watch, "10:00")

    assert (watch.clock("ttr").state, ttr_due(watch)) == ("running", "15:10")
    assert watch.passes("15:11")[-1] == "ttr breached 15:10"


def test_a_pause_within_one_second_is_of_no_length() -> None:
    watch = taken()
    paused(watch, "10:00:00.200")
    resumed(watch, "10:00:00.900")

    assert ttr_due(watch) == "15:10"


# Its own stream


def test_an_event_that_was_skipped_decides_nothing_although_it_can_be_read_now() -> (
    None
):
    watch = taken("09:00", VALMONT)
    desk, stream = watch.desk, sla_stream(INCIDENT)
    version, case = desk.versions[stream] + 1, desk.case
    met = told("sla.met", INCIDENT, target="ttr", met_at=local("09:10"))
    desk.skipped.add((stream, version))

    desk.take(
        replace(watch.log[-1], stream=stream, version=version, event=met),
        local("09:10"),
    )

    assert (desk.case, desk.versions[stream]) == (case, version)
