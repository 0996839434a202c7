"""Strategies for calendars and pauses near changing clocks, and a slow way to count.

The slow way knows nothing of how ours counts: it asks the zone what its clocks read,
goes minute by minute along them, and marks every single second that is open.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import compress, groupby
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.domain.policy.calendars import DAYS, Calendar
from shared.domain.working_time import Span

DAYS_SEEN = 8
Part = tuple[str, str]
WHOLE_DAY = ("00:00", "24:00")
AROUND = timedelta(hours=30)
"""Farther than any zone is from UTC, nearer than two jumps of one."""
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
BENDS = [
    ("Europe/Paris", datetime(2025, 3, 28, tzinfo=UTC)),
    ("Europe/Paris", datetime(2025, 10, 24, tzinfo=UTC)),
    ("Europe/Dublin", datetime(2025, 3, 28, tzinfo=UTC)),  # its winter is the exception
    ("Europe/Dublin", datetime(2025, 10, 24, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2025, 4, 3, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2025, 10, 2, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2025, 2, 21, tzinfo=UTC)),  # back for Ramadan
    ("Africa/Casablanca", datetime(2025, 4, 4, tzinfo=UTC)),  # and forward again
    ("America/Sao_Paulo", datetime(2018, 11, 2, tzinfo=UTC)),  # no midnight
    ("America/Sao_Paulo", datetime(2018, 2, 15, tzinfo=UTC)),  # 23:00 twice
    ("Africa/Cairo", datetime(2025, 4, 22, tzinfo=UTC)),
    ("America/Havana", datetime(2025, 11, 1, tzinfo=UTC)),  # midnight twice
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)),  # no 30 December
    ("Pacific/Apia", datetime(2011, 9, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2025, 4, 13, tzinfo=UTC)),  # into the next stretch
    ("UTC", datetime(2024, 2, 26, tzinfo=UTC)),
]
"""Zones, each with an instant shortly before its clocks jump."""

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
def dated_parts(draw: st.DrawFn, near: datetime) -> tuple[str, str]:
    """Draw a date near an instant, and a part of it."""
    day = (near + timedelta(days=draw(st.integers(-1, 8)))).date().isoformat()
    opens, closes = draw(st.lists(times, min_size=2, max_size=2, unique=True))
    return day, f" {_clock(min(opens, closes))}-{_clock(max(opens, closes))}"


@st.composite
def closings(draw: st.DrawFn, near: datetime) -> str:
    day, part = draw(dated_parts(near))
    return day[draw(st.sampled_from([0, 5])) :] + draw(st.sampled_from(["", part]))


@st.composite
def openings(draw: st.DrawFn, near: datetime) -> str:
    day, part = draw(dated_parts(near))
    if draw(st.integers(0, 3)) == 0:  # across midnight
        part = f" {part[7:]}-{part[1:6]}"
    return day + part


@st.composite
def calendars_of(draw: st.DrawFn, zone: str, near: datetime) -> Calendar:
    return Calendar(
        timezone=zone,
        weekly_hours=draw(weeks()),
        holidays=tuple(draw(st.lists(closings(near), max_size=3))),
        open=tuple(draw(st.lists(openings(near), max_size=2))),
    )


@st.composite
def any_calendar(draw: st.DrawFn) -> Calendar:
    zone, near = draw(st.sampled_from(ZONES)), draw(st.sampled_from(NEAR))
    return draw(calendars_of(zone, near))


calendars = any_calendar()
seconds_on = st.integers(0, 4 * 86_400) | st.integers(0, 4 * 48).map(
    lambda half: half * 1800
)
starts = st.builds(
    lambda near, seconds: near + timedelta(seconds=seconds),
    st.sampled_from(NEAR),
    seconds_on,
)
passed = st.integers(0, 6 * 86_400) | st.integers(0, 6 * 48).map(lambda h: h * 1800)


Situation = tuple[Calendar, datetime]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Draw a calendar in a zone and a start, where the clocks of that zone jump."""
    zone, near = draw(st.sampled_from(BENDS))
    start = near + timedelta(seconds=draw(seconds_on))
    return draw(calendars_of(zone, near)), start


@st.composite
def in_parts(draw: st.DrawFn, calendar: Calendar) -> Calendar:
    """Return the same calendar with its windows cut in two."""
    week = {
        day: [part for window in windows for part in draw(_cut(*window))]
        for day, windows in calendar.weekly_hours.items()
    }
    extra = [
        f"{written[:10]} {opens}-{closes}"
        for written in calendar.open
        for opens, closes in draw(_cut(written[11:16], written[17:]))
    ]
    return Calendar(
        timezone=calendar.timezone,
        weekly_hours=week,
        holidays=calendar.holidays,
        open=tuple(extra),
    )


@st.composite
def _cut(draw: st.DrawFn, opens: str, closes: str) -> list[Part]:
    inside = [
        time for time in CLOCK if opens < time and (time < closes or closes < opens)
    ]
    if not inside:
        return [(opens, closes)]
    cut = draw(st.sampled_from(inside))
    return [(opens, cut), (cut, closes)]


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
    if not _readings(zone, midnight + timedelta(hours=12)):
        return  # a date that was left out
    week = _on(day, [(at, each) for at in _around(day) for each in _week(calendar, at)])
    extra = _on(day, [_dated(each) for each in calendar.open])
    closed = [
        part or WHOLE_DAY
        for on, part in map(_dated, calendar.holidays)
        if f"{day}".endswith(on)
    ]
    minutes = [
        minute
        for minute, time in enumerate(CLOCK)
        if _in(extra, time) or (_in(week, time) and not _in(closed, time))
    ]
    for _, run in groupby(enumerate(minutes), lambda pair: pair[1] - pair[0]):
        of_run = [minute for _, minute in run]
        begins, ends = (
            _instant(zone, midnight + timedelta(minutes=minute))
            for minute in (of_run[0], of_run[-1] + 1)
        )
        fill(begins, ends, 1)


def _around(day: date) -> tuple[str, str]:
    return f"{day - timedelta(days=1)}", f"{day}"


def _week(calendar: Calendar, day: str) -> list[Part]:
    weekday = DAYS[date.fromisoformat(day).weekday()]
    return [(*window,) for window in calendar.weekly_hours.get(weekday, ())]


def _dated(written: str) -> tuple[str, Part | None]:
    on, _, part = written.partition(" ")
    return on, (part[:5], part[6:]) if part else None


def _on(day: date, windows: Sequence[tuple[str, Part | None]]) -> list[Part]:
    """Return what of dated windows lies on a date: they may go on after midnight."""
    yesterday, today = _around(day)
    found: list[Part] = []
    for on, window in windows:
        opens, closes = window or WHOLE_DAY
        if on == today:
            found.append((opens, closes if opens < closes else "24:00"))
        elif on == yesterday and closes < opens:
            found.append(("00:00", closes))
    return found


def _in(parts: list[Part], time: str) -> bool:
    return any(opens <= time < closes for opens, closes in parts)


def _instant(zone: ZoneInfo, local: datetime) -> datetime:
    """Return when the clocks first read `local`, or later by as much as they jump."""
    before, _ = _offsets(zone, local)
    moved = (local - before).replace(tzinfo=UTC)
    return min(_readings(zone, local), default=moved)


def _readings(zone: ZoneInfo, local: datetime) -> list[datetime]:
    """Return the instants at which the clocks of a zone read `local`."""
    instants = [(local - off).replace(tzinfo=UTC) for off in _offsets(zone, local)]
    return [at for at in instants if at.astimezone(zone).replace(tzinfo=None) == local]


def _offsets(zone: ZoneInfo, local: datetime) -> list[timedelta]:
    """Return how far the clocks are from UTC well before and well after `local`."""
    around = (local.replace(tzinfo=UTC) + far for far in (-AROUND, AROUND))
    offsets = [at.astimezone(zone).utcoffset() for at in around]
    return [off for off in offsets if off is not None]
