"""What holds for every rotation, on every clock that changes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.on_call import Roster, Shift, next_on_call, on_call, shifts
from shared.domain.policy.schedules import Rotation, Schedule
from tests.support.strategies.calendars import ZONES, starts

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
rosters = st.builds(Schedule, timezone=st.sampled_from(ZONES), rotation=rotations).map(
    Roster.of
)
anywhen = starts | st.datetimes(
    datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)
)


def shift_at(roster: Roster, at: datetime) -> Shift:
    (found,) = shifts(roster, at, at + MOMENT)
    return found


@given(rosters, anywhen)
def test_every_instant_lies_in_one_shift_and_shifts_tile(
    roster: Roster, at: datetime
) -> None:
    shift = shift_at(roster, at)
    assert shift.begins <= at < shift.ends
    assert shift_at(roster, shift.begins) == shift
    assert shift_at(roster, shift.ends - MOMENT) == shift
    assert shift_at(roster, shift.ends).begins == shift.ends
    assert shift_at(roster, shift.begins - MOMENT).ends == shift.begins


@given(rosters, anywhen)
def test_the_next_on_call_is_who_takes_over_unless_nobody_else_does(
    roster: Roster, at: datetime
) -> None:
    now, following = on_call(roster, at), next_on_call(roster, at)
    turns = 0
    while on_call(roster, at) == now and turns < 6:
        at = shift_at(roster, at).ends
        turns += 1
    assert following == on_call(roster, at)


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
        shift_at(
            Roster.of(
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
                )
            ),
            at,
        )
        for kind, length in alike.items()
    }
    assert len(found) == 1
