"""Standby and interventions are kept apart, and an hour counts once."""

from datetime import UTC, datetime, timedelta

from shared.domain.on_call.statement import (
    Intervention,
    ShortRest,
    Standby,
    statement,
)

HOUR = timedelta(hours=1)
NOVEMBER = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def at(day: int, hour: int = 0) -> datetime:
    return NOVEMBER[0] + timedelta(days=day - 1, hours=hour)


def night(day: int, schedule: str = "night") -> Standby:
    return Standby(schedule, "primary", at(day, 20), at(day + 1, 8))


def worked(start: datetime, hours: int, id_: str = "nadia.1") -> Intervention:
    return Intervention(id_, start, start + hours * HOUR, "INC-000042")


def test_an_intervention_is_work_and_no_standby() -> None:
    found = statement("nadia", NOVEMBER, [night(3)], [worked(at(4, 1), 2)])

    assert (found.standby_time, found.work_time) == (10 * HOUR, 2 * HOUR)


def test_an_hour_in_two_schedules_counts_once() -> None:
    found = statement("nadia", NOVEMBER, [night(3), night(3, "web")], [])

    assert found.standby_time == 12 * HOUR
    assert [each.schedule for each in found.standby] == ["night", "web"]


def test_only_what_lies_in_the_month_counts() -> None:
    last, first = night(30), night(0)
    found = statement("nadia", NOVEMBER, [last, first], [worked(at(0, 23), 2)])

    assert [(each.start, each.end) for each in found.standby] == [
        (at(1), at(1, 8)),
        (at(30, 20), NOVEMBER[1]),
    ]
    assert (found.standby_time, found.work_time) == (11 * HOUR, HOUR)


def test_work_outside_of_standby_is_work_all_the_same() -> None:
    found = statement("nadia", NOVEMBER, [night(3)], [worked(at(4, 7), 3)])

    assert (found.standby_time, found.work_time) == (11 * HOUR, 3 * HOUR)


def test_a_rest_under_eleven_hours_between_interventions_is_shown() -> None:
    two = [worked(at(4, 1), 2), worked(at(4, 13), 1, "nadia.2")]
    rested = [worked(at(4, 1), 2), worked(at(4, 14), 1, "nadia.2")]

    assert statement("nadia", NOVEMBER, [], two).short_rests == (
        ShortRest("nadia.1", at(4, 3), at(4, 13)),
    )
    assert statement("nadia", NOVEMBER, [], rested).short_rests == ()
