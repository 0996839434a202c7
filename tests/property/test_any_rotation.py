"""What holds for every rotation, on every clock that changes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.on_call import next_on_call, on_call, shift
from shared.domain.policy.teams import Rotation, Schedule
from tests.support.any_hours import ZONES, starts

MOMENT = timedelta(microseconds=1)

rotations = st.builds(
    Rotation,
    type=st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    shift_length=st.integers(1, 30),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)).map(
        lambda local: local.isoformat(timespec="minutes")
    ),
    participants=st.lists(
        st.sampled_from(["ada", "bo", "cy", "di"]), min_size=1, max_size=5
    ).map(tuple),
)
schedules = st.builds(Schedule, timezone=st.sampled_from(ZONES), rotation=rotations)
anywhen = starts | st.datetimes(
    datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)
)


@given(schedules, anywhen)
def test_every_instant_lies_in_one_shift_and_shifts_tile(
    schedule: Schedule, at: datetime
) -> None:
    begins, ends = shift(schedule, at)
    assert begins <= at < ends
    assert shift(schedule, begins) == (begins, ends)
    assert shift(schedule, ends - MOMENT) == (begins, ends)
    assert shift(schedule, ends)[0] == ends
    assert shift(schedule, begins - MOMENT)[1] == begins


@given(schedules, anywhen)
def test_one_person_is_on_call_for_the_whole_shift(
    schedule: Schedule, at: datetime
) -> None:
    begins, ends = shift(schedule, at)
    person = on_call(schedule, at)
    assert person == on_call(schedule, begins) == on_call(schedule, ends - MOMENT)


@given(schedules, anywhen)
def test_the_next_on_call_is_who_takes_over_unless_nobody_else_does(
    schedule: Schedule, at: datetime
) -> None:
    now, following = on_call(schedule, at), next_on_call(schedule, at)
    turns = 0
    while on_call(schedule, at) == now and turns < 6:
        _, at = shift(schedule, at)
        turns += 1
    assert following == on_call(schedule, at)


@given(
    st.sampled_from(ZONES),
    st.integers(1, 5),
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),
    anywhen,
)
def test_so_many_hours_days_and_weeks_are_the_same_turns(
    zone: str, weeks: int, start: datetime, at: datetime
) -> None:
    alike = {"weekly": weeks, "daily": weeks * 7, "hourly": weeks * 7 * 24}
    found = {
        shift(
            Schedule.model_validate(
                {
                    "timezone": zone,
                    "rotation": {
                        "type": kind,
                        "shift_length": length,
                        "start": start.isoformat(timespec="minutes"),
                        "participants": ["ada"],
                    },
                }
            ),
            at,
        )
        for kind, length in alike.items()
    }
    assert len(found) == 1
