"""Metrics of a period: what was recorded, kept and done, each with its definition."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.asked import behind
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS, WAIT_SECONDS_MAX
from services.projections.api.metrics_table import numbers
from services.projections.api.period_asked import (
    Delays,
    Instant,
    ZoneName,
    instant_of,
    require_order,
    seconds_of,
    unwanted,
)
from services.projections.api.tables import TableAsked, shown, tabular
from services.projections.generations import as_of, live
from services.projections.instants import known_at
from services.projections.metrics.asked import Asked, GroupBy
from services.projections.metrics.definitions import (
    COUNTING,
    DEFINITIONS,
    GROUPING,
    TO_COME,
)
from services.projections.metrics.figures import Figures
from services.projections.metrics.periods import Every, TooManySubPeriods, bounds
from services.projections.metrics.read import metrics
from services.projections.policy_in_force import desk_zone
from services.projections.read_models import METRICS
from services.projections.snapshots import TooSlow, snapshot
from shared.http.problem_details import HttpError

router = APIRouter(tags=["metrics"])

STATEMENT_SECONDS_MAX = 5
"""How long one query of an answer may take: longer than others, for few ask for it."""
_LIMIT = "SET LOCAL statement_timeout = '{}s'"


class MetricsAsked(TableAsked):
    """Which period, cut where, by what."""

    from_: Annotated[Instant, Field(alias="from")]
    """Its first instant: a day such as `2025-06-01` of the zone, or an instant."""
    to: Instant
    """The instant after its last: `2025-07-01` for all of June."""
    zone: ZoneName | None = None
    """Where days begin: `Europe/Paris`. Left out: the desk's own zone."""
    every: Every | None = None
    """Also by the days, weeks (from Monday) or months of the zone."""
    within: Delays = ()
    """Delays such as `8h` for `resolved_within`; repeat it for several."""
    group_by: GroupBy | None = None
    """Also by what incidents are known as now."""


class Meaning(Answer):
    """What a number means, and whether those of parts of a period add up."""

    meaning: str
    adds_up: bool


class Period(Answer):
    """A part of the period."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    complete: bool
    """Nothing can be recorded in it any more, and all that was is counted."""
    figures: Figures


class Group(Answer):
    """One group of the whole period; None for what belongs to none."""

    name: str | None
    figures: Figures


class PeriodMetrics(Period):
    """The numbers of a period, of its parts and of its groups."""

    zone: str
    every: Every | None
    periods: list[Period]
    """Empty where `every` was not asked for."""
    group_by: GroupBy | None
    groups: list[Group]
    groups_left_off: int
    counting: str
    grouping: str
    definitions: dict[str, Meaning]
    to_come: dict[str, str]
    as_of: AsOfAnswer


_MEANINGS = {
    name: Meaning(meaning=each.meaning, adds_up=each.adds_up)
    for name, each in DEFINITIONS.items()
}


@router.get("/v1/metrics", response_model=PeriodMetrics, responses=tabular())
async def get_metrics(
    request: Request,
    asked: Annotated[MetricsAsked, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """Count and measure what was recorded in a period."""
    await desk.progress.wait(METRICS.name, asked.min_position, WAIT_SECONDS_MAX)
    try:
        found = await desk.blocking(_metrics, desk, asked)
    except TooSlow as error:
        raise HttpError(
            503,
            "the period holds too much to be counted in time: ask for a shorter one, "
            "without `every` or `group_by`, or come again",
            code="too_slow",
            retry_after=RETRY_SECONDS,
        ) from error
    return shown(request, asked, found, _lines(found))


def _lines(found: PeriodMetrics) -> Iterator[dict[str, object]]:
    """Yield the lines of a table: the period, then its parts, then its groups."""
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


def _metrics(desk: Desk, asked: MetricsAsked) -> PeriodMetrics:
    now = desk.clock()
    with snapshot(desk.log) as cursor:
        cursor.execute(_LIMIT.format(STATEMENT_SECONDS_MAX))
        schema = live(cursor, METRICS).schema
        known = as_of(cursor, schema)
        if known.position < asked.min_position:
            raise behind("the metrics", known.position, asked.min_position)
        zone = asked.zone or desk_zone(desk.log, cursor)
        is_up = known_at(cursor, now).position <= known.position
        upto = now if is_up or known.time is None else known.time
        wanted = _wanted(asked, ZoneInfo(zone), upto)
        found = metrics(cursor, schema, wanted)
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
        every=asked.every,
        periods=parts if asked.every else [],
        group_by=asked.group_by,
        groups=[Group(name=name, figures=figures) for name, figures in found.groups],
        groups_left_off=found.groups_left_off,
        counting=COUNTING,
        grouping=GROUPING,
        definitions=_MEANINGS,
        to_come=dict(TO_COME),
        as_of=AsOfAnswer.model_validate(known),
    )


def _wanted(asked: MetricsAsked, zone: ZoneInfo, known: datetime) -> Asked:
    start, end = instant_of(asked.from_, zone), instant_of(asked.to, zone)
    require_order(("from", "to"), start, end)
    try:
        cut = bounds(start, end, zone, asked.every) if asked.every else (start, end)
    except TooManySubPeriods as error:
        raise unwanted("every", str(error)) from error
    return Asked(cut, seconds_of(asked.within), asked.group_by, known)
