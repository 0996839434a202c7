"""Metrics of a period, each number with its definition.

As a table they have one row for each number of the period, its parts and its groups, in
the long form that suits pivot tables: `from`, `to`, `group`, `metric`, `value`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
)

from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.position import known_to
from services.projections.api.query_params import (
    DayOrInstant,
    Name,
    TableQuery,
    ZoneName,
    instant_of,
    require_order,
    unwanted,
)
from services.projections.generations import AsOf
from services.projections.log_queries import disclosure_of, known_at
from services.projections.metrics.definitions import (
    COUNTING,
    DEFINITIONS,
    GROUPING,
)
from services.projections.metrics.figures import Figures
from services.projections.metrics.numbers import numbers
from services.projections.metrics.period import (
    Disclosure,
    Every,
    FilteredBy,
    GroupBy,
    PeriodQuery,
    TooManySubPeriods,
    bounds,
)
from services.projections.metrics.period_metrics import period_metrics
from services.projections.read_models import METRICS
from services.projections.snapshots import TooSlow, snapshot
from shared.domain.policy.durations import Duration
from shared.domain.policy.priorities import Priority
from shared.http.problem_details import HttpError

WITHIN_MAX = 10
"""The maximum number of delays in one request."""

Delays = Annotated[tuple[Duration, ...], Field(max_length=WITHIN_MAX)]


def seconds_of(delays: tuple[timedelta, ...]) -> tuple[int, ...]:
    """Return distinct delays in whole seconds, in ascending order."""
    return tuple(sorted({int(delay.total_seconds()) for delay in delays}))


router = APIRouter(tags=["metrics"])

STATEMENT_SECONDS_MAX = 5
"""The timeout of one query: longer than for others, since metrics are rarely read."""
_LIMIT = "SET LOCAL statement_timeout = '{}s'"


class MetricsQuery(TableQuery):
    """The period, how to divide it, and how to group it."""

    from_: Annotated[DayOrInstant, Field(alias="from")]
    """The start, inclusive: a day of the zone such as `2025-06-01`, or an instant."""
    to: DayOrInstant
    """The end, exclusive: `2025-07-01` for all of June."""
    zone: ZoneName | None = None
    """The time zone of the days, such as `Europe/Paris`. Default: the desk's zone."""
    every: Every | None = None
    """Also divide it into days, weeks (from Monday) or months of the zone."""
    within: Delays = ()
    """Delays such as `8h` for `resolved_within`; repeat it for several values."""
    group_by: GroupBy | None = None
    """Also group it by a property of the incidents, as it is now."""
    service: Name | None = None
    """Count only what concerns this service now."""
    client: Name | None = None
    """Count only what concerns this client now."""
    priority: Priority | None = None
    """Count only what has this priority now."""
    team: Name | None = None
    """Count only what this team has now."""

    @property
    def only(self) -> dict[FilteredBy, str]:
        """The properties of what is counted."""
        given: dict[FilteredBy, str | None] = {
            "service": self.service,
            "client": self.client,
            "priority": self.priority,
            "team": self.team,
        }
        return {name: value for name, value in given.items() if value is not None}


class Meaning(Answer):
    """What a number means, and whether it can be added up over parts of a period."""

    meaning: str
    adds_up: bool


class Period(Answer):
    """A part of the period."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    complete: bool
    """Whether it is over and all its events are counted."""
    figures: Figures


class Group(Answer):
    """One group of the whole period; null for records without a group."""

    name: str | None
    figures: Figures


class PeriodMetrics(Period):
    """The numbers of a period, its parts and its groups."""

    zone: str
    every: Every | None
    periods: list[Period]
    """Empty without `every`."""
    group_by: GroupBy | None
    groups: list[Group]
    groups_left_off: int
    counting: str
    grouping: str
    definitions: dict[str, Meaning]
    to_come: dict[str, str]
    as_of: AsOf


_MEANINGS = {
    name: Meaning(meaning=each.meaning, adds_up=each.adds_up)
    for name, each in DEFINITIONS.items()
}


@router.get("/v1/metrics", response_model=PeriodMetrics, responses=tabular())
async def get_metrics(
    request: Request,
    query: Annotated[MetricsQuery, Query()],
    desk: DeskHere,
    _: Reader,
) -> BaseModel | Response:
    """Return the metrics of what was recorded in a period."""
    await desk.reached(query.min_position, METRICS)
    try:
        found = await desk.blocking(_metrics, desk, query)
    except TooSlow as error:
        raise HttpError(
            503,
            "the period holds too much to be counted in time: ask for a shorter one, "
            "without `every` or `group_by`, or come again",
            code="too_slow",
            retry_after=RETRY_SECONDS,
        ) from error
    return shown(request, query, found, _lines(found))


def _lines(found: PeriodMetrics) -> Iterator[dict[str, object]]:
    """Yield the rows of a table: the period, then its parts, then its groups."""
    told: list[tuple[Period, str | None, Figures]] = [
        (period, None, period.figures) for period in (found, *found.periods)
    ]
    told += [(found, group.name or "none", group.figures) for group in found.groups]
    for period, group, figures in told:
        about: dict[str, object] = {
            "from": period.from_.isoformat(),
            "to": period.to.isoformat(),
            "complete": period.complete,
            "group": group,
        }
        for name, value in numbers(figures):
            yield {**about, "metric": name, "value": value}


def _metrics(desk: Desk, query: MetricsQuery) -> PeriodMetrics:
    now = desk.clock()
    with snapshot(desk.log) as cursor:
        cursor.execute(_LIMIT.format(STATEMENT_SECONDS_MAX))
        schema, known = known_to(cursor, METRICS, query.min_position)
        disclosure = disclosure_of(desk.log, cursor)
        zone = query.zone or disclosure.zone.key
        is_up = known_at(cursor, now).position <= known.position
        upto = now if is_up or known.time is None else known.time
        wanted = _wanted(query, ZoneInfo(zone), upto, disclosure)
        found = period_metrics(cursor, schema, wanted)
        reached = [end <= upto for end in wanted.bounds[1:]]
    parts = [
        Period(from_=start, to=end, complete=complete, figures=figures)
        for (start, end), complete, figures in zip(
            pairwise(wanted.bounds), reached, found.parts, strict=True
        )
    ]
    return PeriodMetrics(
        from_=wanted.bounds[0],
        to=wanted.bounds[-1],
        complete=reached[-1],
        figures=found.whole,
        zone=zone,
        every=query.every,
        periods=parts if query.every else [],
        group_by=query.group_by,
        groups=[Group(name=name, figures=figures) for name, figures in found.groups],
        groups_left_off=found.groups_left_off,
        counting=COUNTING,
        grouping=GROUPING,
        definitions=_MEANINGS,
        to_come={},  # of /v1, where no field is taken away: all are counted
        as_of=known,
    )


def _wanted(
    query: MetricsQuery, zone: ZoneInfo, known: datetime, disclosure: Disclosure
) -> PeriodQuery:
    start, end = instant_of(query.from_, zone), instant_of(query.to, zone)
    require_order(("from", "to"), start, end)
    try:
        cut = bounds(start, end, zone, query.every) if query.every else (start, end)
    except TooManySubPeriods as error:
        raise unwanted("every", str(error)) from error
    within = seconds_of(query.within)
    return PeriodQuery(cut, within, query.group_by, known, disclosure, query.only)
