"""The times in which a schedule should have somebody on call and has nobody. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.on_call.assignments import Span, is_within, open_spans
from shared.domain.on_call.roster import Roster
from shared.domain.on_call.shifts import gaps

GAP_ALARM_BEFORE = timedelta(hours=72)
"""How long before it begins a gap is an alarm."""


def unexpected_gaps(roster: Roster, start: datetime, end: datetime) -> Iterator[Span]:
    """Yield the gaps in [start, end) in which somebody has to be on call.

    Without hours of coverage that is all of them.
    """
    for gap in by_coverage(roster, gaps(roster, start, end)):
        if gap.required:
            yield gap.begins, gap.ends


def is_required(roster: Roster, at: datetime) -> bool:
    """Return whether somebody has to be on call at an instant."""
    hours = roster.coverage
    return hours is None or is_within(hours, ZoneInfo(roster.timezone), at)


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """A time without anybody on call, half-open.

    `required` says whether it is within the hours of coverage.
    """

    begins: datetime
    ends: datetime
    required: bool = True


def by_coverage(roster: Roster, found: Iterable[Span]) -> Iterator[CoverageGap]:
    """Yield gaps, divided where the hours of coverage of a schedule begin and end."""
    for begins, ends in found:
        if roster.coverage is None:
            yield CoverageGap(begins, ends)
            continue
        since = begins
        zone = ZoneInfo(roster.timezone)
        for opens, closes in open_spans(roster.coverage, zone, begins, ends):
            inside, until = max(opens, begins), min(closes, ends)
            if inside >= until:
                continue
            if since < inside:
                yield CoverageGap(since, inside, required=False)
            yield CoverageGap(inside, until)
            since = until
        if since < ends:
            yield CoverageGap(since, ends, required=False)
