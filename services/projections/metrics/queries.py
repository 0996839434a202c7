"""SQL queries that count and measure facts; each one reads a range of one index.

`part` is the number of the part of the period, from 0; `grp` is the group.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from services.projections.metrics.definitions import FIRST_CONTACT_DAYS
from services.projections.metrics.period import PeriodQuery
from shared.database.cursors import Cursors

_BEGUN = """
SELECT width_bucket(since, %(bounds)s::timestamptz[]) - 1, {group}, kind, word,
       CASE WHEN kind IN ('contact', 'target', 'ola', 'solved') THEN ended
            WHEN kind = 'survey_invited' AND until < (%(bounds)s::timestamptz[])
                [width_bucket(since, %(bounds)s::timestamptz[]) + 1] THEN ended END,
       NULL, count(*)
FROM {schema}.facts
WHERE kind = ANY(%(kinds)s) AND since >= %(start)s AND since < %(end)s
  AND {only}
GROUP BY 1, 2, 3, 4, 5
"""
# Separate, because only this query must read more than an index.
_REPORTED = """
SELECT width_bucket(since, %(bounds)s::timestamptz[]) - 1, {group}, kind, word, NULL,
       category, count(*)
FROM {schema}.facts
WHERE kind = 'reported' AND since >= %(start)s AND since < %(end)s
  AND {only}
GROUP BY 1, 2, 3, 4, 6
"""
_ENDED = """
SELECT width_bucket(until, %(bounds)s::timestamptz[]) - 1, {group}, kind, ended, NULL,
       NULL, count(*)
FROM {schema}.facts
WHERE kind = ANY(%(kinds)s) AND until >= %(start)s AND until < %(end)s
  AND {only}
GROUP BY 1, 2, 3, 4
"""
# The nearer end has fewer rows; there are few open intervals in any case.
_LASTING = """
SELECT -1, grp, kind, '', NULL, NULL, sum(n)::bigint FROM (
    SELECT {group} AS grp, kind, count(*) AS n FROM {schema}.facts
    WHERE kind = ANY(%(kinds)s) AND until IS NULL AND since < %(start)s AND {only}
    GROUP BY 1, 2
    UNION ALL
    SELECT {group} AS grp, kind, count(*) AS n FROM {schema}.facts
    WHERE kind = ANY(%(kinds)s) AND until >= %(start)s AND since < %(start)s
      AND {only}
    GROUP BY 1, 2
) AS lasting GROUP BY 2, 3
"""
_CHANGES = """
SELECT width_bucket(since, %(bounds)s::timestamptz[]) - 1, {group}, kind, word, NULL,
       NULL, count(*)
FROM {schema}.facts AS change
WHERE kind = ANY(%(kinds)s) AND since >= %(start)s AND since < %(end)s
  AND {only} AND (word = 'incident' OR word = 'problem' AND EXISTS (
      SELECT FROM {schema}.facts AS problem
      WHERE problem.record = change.via AND problem.kind = 'problem_of_incident'
        AND problem.word = ''))
GROUP BY 1, 2, 3, 4
"""
_FIRST_RESOLUTIONS = """
SELECT width_bucket(since, %(bounds)s::timestamptz[]) - 1, {group}, 'first_contact',
       CASE WHEN word = 'more' THEN 'not'
            WHEN ended = 'reopened' AND until < since + %(hold)s THEN 'not'
            WHEN since + %(hold)s > %(known)s THEN 'unknown'
            ELSE 'yes' END, NULL, NULL, count(*)
FROM {schema}.facts
WHERE kind = 'resolved' AND number = 1 AND word IN ('one_contact', 'more')
  AND since >= %(start)s AND since < %(end)s
  AND {only}
GROUP BY 1, 2, 4
"""
_TIMES = """
SELECT part, grp, count(*),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY working),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY wall),
       ARRAY[{working}]::bigint[], ARRAY[{wall}]::bigint[]
FROM (
    SELECT width_bucket({by}, %(bounds)s::timestamptz[]) - 1 AS part, {group} AS grp,
           working, wall, until
    FROM {schema}.facts
    WHERE kind = %(kind)s AND {by} >= %(start)s AND {by} < %(end)s
      AND working IS NOT NULL AND {only}
) AS measured
WHERE {counted}
GROUP BY 1, 2
"""
_DWELL = """
SELECT width_bucket(since, %(bounds)s::timestamptz[]) - 1, {group}, word, count(*),
       percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY working),
       sum(working)::bigint
FROM {schema}.facts
WHERE kind = 'dwell' AND since >= %(start)s AND since < %(end)s
  AND {only}
GROUP BY 1, 2, 3
"""
_ANSWERS = """
SELECT width_bucket(answered.since, %(bounds)s::timestamptz[]) - 1, invited.word,
       answered.service, answered.client, answered.team, answered.channel,
       count(*), count(*) FILTER (WHERE answered.word = 'satisfied')
FROM {schema}.facts AS answered JOIN {schema}.facts AS invited
  ON invited.record = answered.record AND invited.kind = 'survey_invited'
WHERE answered.kind = 'survey_answered'
  AND answered.since >= %(start)s AND answered.since < %(end)s
GROUP BY 1, 2, 3, 4, 5, 6
"""
_STANDING = "until IS NULL OR until >= (%(bounds)s::timestamptz[])[part + 2]"


_SPANS = ("stock", "awaiting", "waiting")
_BEGINNINGS = (
    *_SPANS,
    "resolved",
    "reopened",
    "contact",
    "target",
    "ola",
    "ping_pong",
    "handover",
    "left_open",
    "quick_fix",
    "solved",
    "solution_noted",
    "problem",
    "survey_invited",
    "survey_answered",
)
_OF_CHANGES = ("change_requested", "change_planned", "change_cancelled")


class Cell(NamedTuple):
    """The number of facts of one kind in a part and a group."""

    part: int
    group: str | None
    kind: str
    word: str
    ended: str | None
    category: str | None
    n: int


class Durations(NamedTuple):
    """The durations of facts in a part and a group; `within` in the requested order."""

    part: int
    group: str | None
    n: int
    working: Sequence[int]
    """p50 and p90."""
    wall: Sequence[int]
    working_within: Sequence[int]
    wall_within: Sequence[int]


class ConsumedTime(NamedTuple):
    """The time that a level consumed, in a part and a group."""

    part: int
    group: str | None
    level: str
    n: int
    seconds: Sequence[int]
    """p50 and p95."""
    total: int


class PeriodCounts(NamedTuple):
    """Everything that is read for a period."""

    lasting: Sequence[Cell]
    """Intervals that began before and had not ended: part -1."""
    begun: Sequence[Cell]
    ended: Sequence[Cell]
    acknowledged: Sequence[Durations]
    restored: Sequence[Durations]
    resolved: Sequence[Durations]
    dwelt: Sequence[ConsumedTime]


def find(cursor: Cursors, schema: str, asked: PeriodQuery) -> PeriodCounts:
    """Count and measure the facts of a period."""
    hold = timedelta(days=FIRST_CONTACT_DAYS)
    more = {"hold": hold, "known": asked.known}

    def cells(query: str, kinds: Sequence[str] = ()) -> list[Cell]:
        sql = query.format(schema=schema, group=asked.group, only=asked.condition)
        given = {**_period(asked), **more, "kinds": list(kinds)}
        return [Cell(*row) for row in cursor.execute(sql, given)]

    return PeriodCounts(
        lasting=cells(_LASTING, _SPANS),
        begun=[
            *cells(_BEGUN, _BEGINNINGS),
            *cells(_REPORTED),
            *cells(_CHANGES, _OF_CHANGES),
            *cells(_FIRST_RESOLUTIONS),
        ],
        ended=cells(_ENDED, _SPANS),
        acknowledged=_times(cursor, schema, asked, "waiting", "until", "true"),
        restored=_times(cursor, schema, asked, "restored", "since", _STANDING),
        resolved=_times(cursor, schema, asked, "resolved", "since", _STANDING),
        dwelt=_dwelt(cursor, schema, asked),
    )


def answers_in(
    cursor: Cursors, schema: str, bounds: Sequence[datetime]
) -> Iterator[tuple[Any, ...]]:
    """Yield the answers to surveys in each part of a period, counted."""
    given = {"bounds": list(bounds), "start": bounds[0], "end": bounds[-1]}
    yield from cursor.execute(_ANSWERS.format(schema=schema), given)


def _dwelt(cursor: Cursors, schema: str, asked: PeriodQuery) -> list[ConsumedTime]:
    sql = _DWELL.format(schema=schema, group=asked.group, only=asked.condition)
    return [ConsumedTime(*row) for row in cursor.execute(sql, _period(asked))]


def _times(  # each fills a place of the query
    cursor: Cursors, schema: str, asked: PeriodQuery, kind: str, by: str, counted: str
) -> list[Durations]:
    delays = asked.within if kind == "resolved" else ()
    places = {f"d{number}": delay for number, delay in enumerate(delays)}
    within = {
        column: ", ".join(
            f"count(*) FILTER (WHERE {column} <= %({place})s)" for place in places
        )
        for column in ("working", "wall")
    }
    of = {"group": asked.group, "only": asked.condition, **within}
    sql = _TIMES.format(schema=schema, by=by, counted=counted, **of)
    given = {**_period(asked), **places, "kind": kind}
    return [Durations(*row) for row in cursor.execute(sql, given)]


def _period(asked: PeriodQuery) -> dict[str, object]:
    bounds = list(asked.bounds)
    ends = {"start": bounds[0], "end": bounds[-1]}
    return {"bounds": bounds, **ends, **asked.only_values}


_Field = Literal["kind", "word", "category"]


class CountedCells:
    """The cells of one part and group, with look-ups by kind."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells = tuple(cells)

    def sum(self, kind: str, word: str | None = None, ended: str | None = None) -> int:
        """Return the number of matching facts; None matches any value."""
        return sum(
            cell.n
            for cell in self.cells
            if cell.kind == kind
            and word in {None, cell.word}
            and ended in {None, cell.ended}
        )

    def by(self, kind: str, of: Literal["word", "ended"]) -> dict[str, int]:
        """Return the numbers of facts of a kind, by the value of a field."""
        counted: Counter[str] = Counter()
        for cell in self.cells:
            if cell.kind == kind:
                counted[getattr(cell, of) or ""] += cell.n
        return dict(sorted(counted.items()))

    def where(self, field: _Field, value: str | None) -> "CountedCells":
        """Return the cells whose field has this value."""
        return CountedCells(
            cell for cell in self.cells if getattr(cell, field) == value
        )


def share(part: int, whole: int) -> float | None:
    """Return a share with four decimal places, None if `whole` is 0."""
    return round(part / whole, 4) if whole else None
