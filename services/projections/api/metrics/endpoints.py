"""Metrics of a period, each number with its definition.

As a table they have one row for each number of the period, its parts and its groups, in
the long form that suits pivot tables: `from`, `to`, `group`, `metric`, `value`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from services.projections.api.answers import Answer, AsOfAnswer, Counts
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS, WAIT_SECONDS_MAX
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import behind, require_year, with_plus
from services.projections.generations import as_of, live
from services.projections.log_queries import desk_zone, known_at
from services.projections.metrics.assembly import metrics
from services.projections.metrics.definitions import (
    COUNTING,
    DEFINITIONS,
    GROUPING,
    TO_COME,
)
from services.projections.metrics.figures import Figures
from services.projections.metrics.period import (
    Every,
    GroupBy,
    PeriodQuery,
    TooManySubPeriods,
    bounds,
    midnight,
)
from services.projections.read_models import METRICS
from services.projections.snapshots import TooSlow, snapshot
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.durations import Duration
from shared.http.problem_details import HttpError

_NAMES = ("category", "within", "channel")
"""Fields that identify a part, such as a delay, and are not numbers."""


def numbers(figures: Figures) -> Iterator[tuple[str, object]]:
    """Yield the numbers by name: `balance.closed`, `answering.phone.in_time`."""
    return _numbers(figures.model_dump(mode="json"), "")


def _numbers(part: Mapping[str, object], before: str) -> Iterator[tuple[str, object]]:
    for name, value in part.items():
        match value:
            case dict():
                yield from _numbers(value, f"{before}{name}.")
            case list():
                for each in value:
                    yield from _numbers(each, f"{before}{name}.{_named(each)}.")
            case _ if name in _NAMES or isinstance(value, str):
                continue  # it identifies the part, or is a note about it
            case _:
                yield f"{before}{name}", value


def _named(part: Mapping[str, object]) -> str:
    found: Sequence[object] = [part[name] for name in _NAMES if name in part]
    return str(found[0]) if found and found[0] is not None else "none"


WITHIN_MAX = 10
"""The maximum number of delays in one request."""

_EXAMPLE = (
    "write a day such as 2025-06-30, or an instant with its zone such as "
    "2025-06-30T09:00:00Z"
)


def _instant(written: object) -> date:
    text = str(with_plus(written))
    try:
        is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        found = date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_EXAMPLE) from error
    if isinstance(found, datetime) and found.tzinfo is None:
        raise ValueError(_EXAMPLE)
    return require_year(found)


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("no such time zone: write one such as Europe/Paris")
    return written


Instant = Annotated[
    date,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "examples": ["2025-06-30"]}),
]
"""A day, or an instant (a `datetime`)."""
ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]
Delays = Annotated[tuple[Duration, ...], Field(max_length=WITHIN_MAX)]


def instant_of(asked: date, zone: ZoneInfo) -> datetime:
    """Return the given instant in UTC; for a day, its beginning in `zone`."""
    if isinstance(asked, datetime):
        return asked.astimezone(UTC)
    return midnight(asked, zone)


def require_order(names: tuple[str, str], start: datetime, end: datetime) -> None:
    """Refuse an empty period with an `HttpError` 422."""
    if start >= end:
        first, last = names
        raise unwanted(
            last,
            f"`{last}` must be later than `{first}`: it is the instant after the last",
        )


def unwanted(parameter: str, sentence: str) -> HttpError:
    """Return the 422 for a parameter that is well formed but makes no sense."""
    errors = [{"loc": ["query", parameter], "msg": sentence, "type": "unwanted"}]
    return HttpError(422, sentence, code="invalid", errors=errors)


def seconds_of(delays: tuple[timedelta, ...]) -> tuple[int, ...]:
    """Return distinct delays in whole seconds, in ascending order."""
    return tuple(sorted({int(delay.total_seconds()) for delay in delays}))


def counts_of(cells: Iterable[tuple[str, str, bool, int]]) -> Counts:
    """Return the sums of (status, priority, breached, number)."""
    status: Counter[str] = Counter()
    priority: Counter[str] = Counter()
    breached: Counter[bool] = Counter()
    for of_status, of_priority, of_breached, number in cells:
        status[of_status] += number
        priority[of_priority] += number
        breached[of_breached] += number
    return Counts(
        open=status.total(),
        breached=breached[True],
        status=dict(sorted(status.items())),
        priority=dict(sorted(priority.items())),
    )


router = APIRouter(tags=["metrics"])

STATEMENT_SECONDS_MAX = 5
"""The timeout of one query: longer than for others, since metrics are rarely read."""
_LIMIT = "SET LOCAL statement_timeout = '{}s'"


class MetricsQuery(TableQuery):
    """The period, how to divide it, and how to group it."""

    from_: Annotated[Instant, Field(alias="from")]
    """The start, inclusive: a day of the zone such as `2025-06-01`, or an instant."""
    to: Instant
    """The end, exclusive: `2025-07-01` for all of June."""
    zone: ZoneName | None = None
    """The time zone of the days, such as `Europe/Paris`. Default: the desk's zone."""
    every: Every | None = None
    """Also divide it into days, weeks (from Monday) or months of the zone."""
    within: Delays = ()
    """Delays such as `8h` for `resolved_within`; repeat it for several values."""
    group_by: GroupBy | None = None
    """Also group it by a property of the incidents, as it is now."""


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
    as_of: AsOfAnswer


_MEANINGS = {
    name: Meaning(meaning=each.meaning, adds_up=each.adds_up)
    for name, each in DEFINITIONS.items()
}


@router.get("/v1/metrics", response_model=PeriodMetrics, responses=tabular())
async def get_metrics(
    request: Request,
    asked: Annotated[MetricsQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """Return the metrics of what was recorded in a period."""
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


def _metrics(desk: Desk, asked: MetricsQuery) -> PeriodMetrics:
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


def _wanted(asked: MetricsQuery, zone: ZoneInfo, known: datetime) -> PeriodQuery:
    start, end = instant_of(asked.from_, zone), instant_of(asked.to, zone)
    require_order(("from", "to"), start, end)
    try:
        cut = bounds(start, end, zone, asked.every) if asked.every else (start, end)
    except TooManySubPeriods as error:
        raise unwanted("every", str(error)) from error
    return PeriodQuery(cut, seconds_of(asked.within), asked.group_by, known)
