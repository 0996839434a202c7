"""Strategies for calendars and pauses near changing clocks, and a slow way to count."""

from datetime import UTC, date, datetime, timedelta
from itertools import compress, groupby
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.policy.calendars import Calendar
from shared.policy.weekly_hours import DAYS
from shared.working_time import Span

DAYS_SEEN = 8
NEAR = [
    datetime(2025, 3, 28, tzinfo=UTC),  # clocks go forward in Europe
    datetime(2025, 4, 3, tzinfo=UTC),  # back by half an hour on Lord Howe
    datetime(2025, 4, 22, tzinfo=UTC),  # forward at midnight in Cairo
    datetime(2025, 10, 24, tzinfo=UTC),  # back in Europe, a week later in America
    datetime(2025, 4, 15, 12, tzinfo=UTC),  # from one stretch to the next
    datetime(2024, 2, 26, tzinfo=UTC),
    datetime(2025, 12, 27, tzinfo=UTC),
]
ZONES = [
    "UTC",
    "Europe/Paris",
    "America/Havana",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
]

times = st.integers(0, 47).map(lambda half: half * 30) | st.integers(0, 24 * 60 - 1)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


CLOCK = [_clock(minute) for minute in range(24 * 60)]


@st.composite
def weeks(draw: st.DrawFn) -> dict[str, list[str]]:
    days = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
    cuts = draw(st.lists(times, min_size=2, max_size=4, unique=True).map(sorted))
    if draw(st.booleans()):  # across midnight
        cuts = [*cuts[1:], cuts[0]]
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    windows = [f"{_clock(opens)}-{_clock(closes)}" for opens, closes in pairs]
    if draw(st.integers(0, 9)) == 0:
        windows = ["00:00-24:00"]
    return {day: windows for day in days}  # noqa: C420 - each day its own list


@st.composite
def closings(draw: st.DrawFn) -> str:
    near = draw(st.sampled_from(NEAR)) + timedelta(days=draw(st.integers(0, 8)))
    written = near.date().isoformat()[draw(st.sampled_from([0, 5])) :]
    opens, closes = draw(st.lists(times, min_size=2, max_size=2, unique=True))
    part = f" {_clock(min(opens, closes))}-{_clock(max(opens, closes))}"
    return written + draw(st.sampled_from(["", part]))


calendars = st.builds(
    Calendar,
    timezone=st.sampled_from(ZONES),
    weekly_hours=weeks(),
    holidays=st.lists(closings(), max_size=3).map(tuple),
)
starts = st.builds(
    lambda near, seconds: near + timedelta(seconds=seconds),
    st.sampled_from(NEAR),
    st.integers(0, 4 * 86_400) | st.integers(0, 4 * 48).map(lambda half: half * 1800),
)
passed = st.integers(0, 6 * 86_400) | st.integers(0, 6 * 48).map(lambda h: h * 1800)


@st.composite
def pauses_after(draw: st.DrawFn, start: datetime) -> tuple[Span, ...]:
    ends = draw(st.lists(st.tuples(passed, passed), max_size=4))
    early = start - timedelta(days=1)
    return tuple(
        (early + timedelta(seconds=min(pair)), early + timedelta(seconds=max(pair)))
        for pair in ends
    )


def working_seconds(
    calendar: Calendar, start: datetime, pauses: tuple[Span, ...] = ()
) -> list[int]:
    """Return each working second of some days, counted from `start` on, one by one."""
    seen = bytearray(DAYS_SEEN * 86_400)

    def fill(begins: datetime, ends: datetime, value: int) -> None:
        first, last = (
            min(max(0, round((at - start).total_seconds())), len(seen))
            for at in (begins, ends)
        )
        if first < last:
            seen[first:last] = bytes([value]) * (last - first)

    for day in range(-3, DAYS_SEEN + 3):
        _open(calendar, (start + timedelta(days=day)).date(), fill)
    for begins, ends in pauses:
        fill(begins, ends, 0)
    return list(compress(range(len(seen)), seen))


def _open(calendar: Calendar, day: date, fill: Any) -> None:
    """Fill what is open on a local date, minute by minute of its clock."""
    zone = ZoneInfo(calendar.timezone)
    midnight = datetime(day.year, day.month, day.day)
    closed = [
        part or "00:00-24:00"
        for date_closed, _, part in (each.partition(" ") for each in calendar.holidays)
        if f"{day}".endswith(date_closed)
    ]
    today = calendar.weekly_hours.get(DAYS[day.weekday()], ())
    yesterday = calendar.weekly_hours.get(DAYS[day.weekday() - 1], ())
    minutes = [
        minute
        for minute, time in enumerate(CLOCK)
        if not any(part[:5] <= time < part[6:] for part in closed)
        and (
            any(a <= time and (time < b or b < a) for a, b in today)
            or any(time < b < a for a, b in yesterday)
        )
    ]
    for _, run in groupby(enumerate(minutes), lambda pair: pair[1] - pair[0]):
        of_run = [minute for _, minute in run]
        begins, ends = (
            (midnight + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)
            for minute in (of_run[0], of_run[-1] + 1)
        )
        fill(begins, ends, 1)
