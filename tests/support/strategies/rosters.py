"""Rosters of any kind, and instants near the changes of clocks, over ten years."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.domain.on_call import Absence, Override, Roster
from shared.domain.policy.schedules import WEEKDAYS, Layer, Rotation

ZONES = (
    "Europe/Paris",
    "Europe/Dublin",
    "America/Chicago",
    "America/Havana",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Auckland",
)
BEGINS, ENDS = datetime(2019, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PEOPLE = ["ada", "bo", "cy", "di"]
AROUND_MINUTES = 36 * 60


@cache
def changes(zone: str) -> Sequence[datetime]:
    """Return the days in ten years that a change of a zone's clocks follows."""
    days = [BEGINS + n * DAY for n in range((ENDS - BEGINS).days)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    found = [
        day
        for day, now, then in zip(days, offsets, offsets[1:], strict=False)
        if now != then
    ]
    return found or days


def instants(zone: str) -> st.SearchStrategy[datetime]:
    """Return whole minutes near changes of a zone's clocks, and anywhere else."""
    near = st.builds(
        lambda day, minutes: day + minutes * MINUTE,
        st.sampled_from(changes(zone)),
        st.integers(0, AROUND_MINUTES),
    )
    minutes = int((ENDS - BEGINS) / MINUTE)
    return near | st.integers(0, minutes).map(lambda passed: BEGINS + passed * MINUTE)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


quarters = st.integers(0, 95).map(lambda quarter: _clock(quarter * 15))
windows = st.tuples(quarters, quarters).filter(lambda pair: pair[0] != pair[1])
starts = st.datetimes(datetime(2018, 1, 1), datetime(2026, 1, 1)).map(
    lambda local: local.isoformat(timespec="minutes")
)
participants = st.lists(
    st.sampled_from(PEOPLE) | st.sampled_from([["ada", "bo"], ["cy", "di"]]),
    min_size=1,
    max_size=4,
)
rotations = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
        "shift_length": st.integers(1, 30),
        "start": starts,
        "participants": participants,
    },
    optional={
        "by_day": st.lists(st.sampled_from(WEEKDAYS), max_size=7, unique=True),
        "shift_duration_hours": st.integers(1, 48),
        "week_start": st.sampled_from(WEEKDAYS),
        "rotation_start": st.just("2020-03-29T02:30"),
        "until": st.just("2027-10-31T01:30"),
    },
).map(Rotation.model_validate)
layers = st.fixed_dictionaries(
    {"rotation": rotations},
    optional={
        "hours": windows.map(lambda pair: {"mon-fri": [f"{pair[0]}-{pair[1]}"]}),
        "priority": st.integers(0, 2),
    },
).map(Layer.model_validate)


def overrides(zone: str) -> st.SearchStrategy[Override]:
    return st.builds(
        lambda kind, start, minutes, add, remove: Override(
            kind, start, start + minutes * MINUTE, add, remove
        ),
        st.sampled_from(["add", "replace", "remove"]),
        instants(zone),
        st.integers(1, 60 * 24 * 40),
        st.sampled_from([*PEOPLE, "eve"]),
        st.sampled_from(PEOPLE),
    )


def absences(zone: str) -> st.SearchStrategy[Absence]:
    return st.builds(
        lambda person, start, days: Absence(person, start, start + days * DAY),
        st.sampled_from(PEOPLE),
        instants(zone),
        st.integers(1, 40),
    )


@st.composite
def rosters(draw: st.DrawFn, *, changed: bool = True) -> Roster:
    zone = draw(st.sampled_from(ZONES))
    found = Roster(zone, tuple(draw(st.lists(layers, min_size=1, max_size=3))))
    if not changed:
        return found
    return Roster(
        zone,
        found.layers,
        tuple(draw(st.lists(overrides(zone), max_size=3))),
        tuple(draw(st.lists(absences(zone), max_size=2))),
    )
