"""The metrics of a period with the age of its backlog, as answers show them.

Filters choose what is counted. Satisfaction is not counted of any choice: the
difference of two choices would tell what a single person answered.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from services.projections.metrics.calculation import Metrics, metrics
from services.projections.metrics.figures import AgeBand, Figures, Satisfaction
from services.projections.metrics.period import PeriodQuery
from shared.database.cursors import Cursors

AGE_DAYS = (0, 1, 3, 7, 14, 30)
"""Where the bands of ages begin, in days; the last one has no end."""
AGES = (*(f"{start}-{end}" for start, end in pairwise(AGE_DAYS)), f"{AGE_DAYS[-1]}+")

# The first interval of an incident in the stock is its first recording: one that was
# merged or closed and came back is as old as it was.
_OPEN = """
SELECT stock.grp, width_bucket(begun.since, %(ages)s::timestamptz[]), count(*)
FROM (
    SELECT record, {group} AS grp FROM {schema}.facts
    WHERE kind = 'stock' AND until IS NULL AND since < %(end)s AND {only}
    UNION ALL
    SELECT record, {group} AS grp FROM {schema}.facts
    WHERE kind = 'stock' AND until >= %(end)s AND since < %(end)s AND {only}
) AS stock JOIN {schema}.facts AS begun
  ON begun.record = stock.record AND begun.kind = 'stock' AND begun.number = 1
GROUP BY 1, 2
"""
WITHHELD = "not shown for this choice: it could tell what a single person answered"


def period_metrics(cursor: Cursors, schema: str, asked: PeriodQuery) -> Metrics:
    """Return the numbers of a period from a generation of the read model."""
    found = metrics(cursor, schema, asked)
    if asked.only:
        found = _without_satisfaction(found)
    satisfaction = _of_one_group(cursor, schema, asked)
    if satisfaction is not None:
        whole = found.whole.model_copy(update={"satisfaction": satisfaction})
        found = replace(found, whole=whole)
    return _with_ages(cursor, schema, asked, found)


def _with_ages(
    cursor: Cursors, schema: str, asked: PeriodQuery, found: Metrics
) -> Metrics:
    whole = _ages(cursor, schema, replace(asked, group_by=None)).get(None)
    by_group = _ages(cursor, schema, asked) if asked.group_by else {}
    return replace(
        found,
        whole=found.whole.model_copy(update={"backlog_age": whole or _bands({})}),
        groups=[
            (name, figures.model_copy(update={"backlog_age": held}))
            for name, figures in found.groups
            for held in (by_group.get(name) or _bands({}),)
        ],
    )


def _of_one_group(
    cursor: Cursors, schema: str, asked: PeriodQuery
) -> Satisfaction | None:
    """Return the satisfaction of the only property that is chosen, as its groups say.

    None for another choice, and for a group that is left off.
    """
    if len(asked.only) != 1:
        return None
    ((name, value),) = asked.only.items()
    ends = (asked.bounds[0], asked.bounds[-1])
    grouped = metrics(
        cursor, schema, replace(asked, bounds=ends, only={}, group_by=name)
    )
    found = dict(grouped.groups).get(value)
    return found.satisfaction if found else None


def _without_satisfaction(found: Metrics) -> Metrics:
    return replace(
        found,
        whole=_withheld(found.whole),
        parts=[_withheld(figures) for figures in found.parts],
        groups=[(name, _withheld(figures)) for name, figures in found.groups],
    )


def _withheld(figures: Figures) -> Figures:
    held = figures.satisfaction
    note = WITHHELD if held.n else None
    withheld = held.model_copy(update={"share": None, "note": note})
    return figures.model_copy(update={"satisfaction": withheld})


def _ages(
    cursor: Cursors, schema: str, asked: PeriodQuery
) -> Mapping[str | None, Sequence[AgeBand]]:
    """Return how old the open incidents of each group are at the end of the period.

    Of a period that is not over, as old as they are now.
    """
    end = asked.bounds[-1]
    at = min(end, asked.known)
    sql = _OPEN.format(schema=schema, group=asked.group, only=asked.condition)
    given = {"end": end, "ages": _thresholds(at), **asked.only_values}
    counted: dict[str | None, Counter[str]] = {}
    for group, bucket, n in cursor.execute(sql, given):
        # The buckets begin with the oldest.
        counted.setdefault(group, Counter())[AGES[len(AGE_DAYS) - 1 - bucket]] += n
    return {group: _bands(by_age) for group, by_age in counted.items()}


def _bands(counted: Mapping[str, int]) -> Sequence[AgeBand]:
    """Return all bands from the youngest, 0 where nothing is open."""
    return [AgeBand(age=age, n=counted.get(age, 0)) for age in AGES]


def _thresholds(at: datetime) -> list[datetime]:
    """Return the instants between the bands in ascending order."""
    return [at - timedelta(days=days) for days in reversed(AGE_DAYS[1:])]
