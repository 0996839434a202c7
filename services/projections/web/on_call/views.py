"""What the screens of on call show of the API's answers. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.projections.web.on_call.period import Period
from shared.domain.on_call import first_instant

DAY = timedelta(days=1)
_MIDNIGHT = datetime.min.time()


@dataclass(frozen=True, slots=True)
class Entry:
    """Who is on call in [begins, ends): without `people` it is a gap.

    A gap is `required` if it is within the hours of coverage of its schedule.
    """

    begins: datetime
    ends: datetime
    people: tuple[str, ...] = ()
    overlaps: bool = False
    """Whether several turns or changes put them on call at once."""
    changes: tuple[str, ...] = ()
    """The ids of the changes that put them there."""
    schedule: str = ""
    role: str = "primary"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """The part of an entry that is in one day.

    `begins` and `ends` are times of day; empty where it goes on in the day before, or
    after.
    """

    entry: Entry
    begins: str
    ends: str

    @property
    def is_whole_day(self) -> bool:
        """Whether it neither begins nor ends in this day."""
        return not self.begins and not self.ends


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar: its parts, in their order."""

    day: date
    parts: tuple[Part, ...]
    away: tuple[str, ...] = ()
    """Who is absent, as far as the visitor may know."""


def entries(
    found: Mapping[str, Any], schedule: str, role: str = "primary"
) -> list[Entry]:
    """Return the shifts and gaps of an answer of the API, in their order."""
    shifts = [
        Entry(
            _at(each["from"]),
            _at(each["to"]),
            tuple(each["people"]),
            each.get("overlap", False),
            tuple(each.get("changes", ())),
            schedule,
            role,
        )
        for each in found["shifts"]
    ]
    gaps = [
        Entry(
            _at(each["from"]),
            _at(each["to"]),
            schedule=schedule,
            role=role,
            required=each.get("required", True),
        )
        for each in found["gaps"]
    ]
    return sorted((*shifts, *gaps), key=lambda each: (each.begins, each.ends))


def absences(changes: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the absences among the changes of a schedule."""
    return [
        Entry(_at(each["from"]), _at(each["to"]), (each["person"],))
        for each in changes
        if each["kind"] == "absence" and each["state"] != "withdrawn"
    ]


def calendar(
    found: Sequence[Entry], period: Period, zone: str, away: Sequence[Entry] = ()
) -> Sequence[Sequence[Day]]:
    """Return the weeks of a period, each with its days, in the zone of a schedule.

    `away` are absences of its people.
    """
    days = [
        _day(period.first + number * DAY, found, ZoneInfo(zone), away)
        for number in range(7 * period.weeks)
    ]
    return [days[first : first + 7] for first in range(0, len(days), 7)]


def _day(
    day: date, found: Sequence[Entry], zone: ZoneInfo, away: Sequence[Entry]
) -> Day:
    opens, closes = (
        first_instant(datetime.combine(each, _MIDNIGHT), zone)
        for each in (day, day + DAY)
    )
    return Day(
        day,
        tuple(
            Part(
                each,
                _time(each.begins, zone) if each.begins > opens else "",
                _time(each.ends, zone) if each.ends < closes else "",
            )
            for each in found
            if each.begins < closes and each.ends > opens
        ),
        tuple(people_in(e for e in away if e.begins < closes and e.ends > opens)),
    )


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def form_query(
    zone: str, begins: datetime, ends: datetime, role: str = "primary"
) -> str:
    """Return the query that fills in a period and a role in the form of a change."""
    times = {"start": begins, "end": ends}
    local = {
        name: f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
        for name, at in times.items()
    }
    return urlencode({**local, "role": role})


def own(found: Iterable[Entry], person: str) -> list[Entry]:
    """Return the shifts of a person, in their order, each once."""
    mine = {each for each in found if person in each.people}
    return sorted(mine, key=lambda each: (each.begins, each.schedule, each.role))


@dataclass(frozen=True, slots=True)
class Warnings:
    """Why a page may reach nobody in a schedule: its gaps, and people not reached.

    `query` of a gap fills in the form that puts somebody on call in it.
    """

    schedule: str
    gaps: tuple[Mapping[str, Any], ...]
    people: tuple[Mapping[str, Any], ...]


def warnings(
    found: Mapping[str, Any],
    me: str,
    own_schedules: Collection[str] | None,
    zones: Mapping[str, str],
) -> list[Warnings]:
    """Return what to mend before a page is missed, by schedule.

    Somebody with `own_schedules` sees the gaps of these and themselves; None is for
    those who see everything.
    """
    of_all = [
        Warnings(
            each["schedule"],
            tuple(_with_query(gap, zones[each["schedule"]]) for gap in each["gaps"])
            if own_schedules is None or each["schedule"] in own_schedules
            else (),
            tuple(
                one
                for one in each["people"]
                if one["readiness"] != "ready"
                and (own_schedules is None or one["person"] == me)
            ),
        )
        for each in found["items"]
    ]
    return [each for each in of_all if each.gaps or each.people]


def _with_query(gap: Mapping[str, Any], zone: str) -> Mapping[str, Any]:
    query = form_query(zone, _at(gap["from"]), _at(gap["to"]))
    return {**gap, "query": query}


def people_in(found: Iterable[Entry]) -> list[str]:
    """Return the ids of everybody who is on call in these."""
    return sorted({person for each in found for person in each.people})
