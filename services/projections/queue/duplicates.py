"""Finds incidents that may report the same as another one, and says why.

The score is a pure function of two rows, and symmetric. The same reporter counts most,
then what labels and titles share; a service and nothing else is not enough.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from services.projections.queue.filter_fields import Where
from services.projections.queue.row import QueueRow
from services.projections.queue.store import SELECTED, from_columns
from services.projections.queue.tables import ENDED_ORDER, ROWS
from services.projections.sight import Sight
from services.projections.words.normalization import words_of
from shared.database.cursors import Cursors
from shared.domain.incident import AT_WORK, IN_STOCK
from shared.domain.policy.contracts import UNKNOWN

Reason = Literal["reporter", "client", "service", "labels", "words"]
WINDOW = timedelta(days=7)
"""How far apart two reports of the same may be."""
ENDED_WINDOW = timedelta(days=30)
"""How long before the report an incident may have ended to be compared."""
ENDED_BEHIND = 3
"""How much likelier an ended incident must be than one at work to come before it."""
LIKELY = 3
"""The score from which an incident is proposed."""
PROPOSED_MAX = 10
COMPARED_MAX = 500
"""The maximum number of incidents that one is compared with: the newest ones."""
ENDED_COMPARED_MAX = 200
"""The same for ended ones of each of its service, reporter and client."""
WORD_MIN = 4
"""Shorter words of titles say nothing about what is wrong."""
_REPORTER, _SERVICE, _CLIENT = 4, 2, 1
_LABELS_MAX, _WORDS_MAX = 4, 4

_NEAR = f"""
SELECT {SELECTED} FROM {{schema}}.{ROWS.name}
WHERE rank IS NOT NULL AND {{where}}
  AND (service = %s OR reporter = %s OR client = %s)
  AND reported_at BETWEEN %s AND %s AND status = ANY(%s)
ORDER BY reported_at DESC, ref LIMIT %s
"""  # noqa: S608 # only constants
# One index has the ended rows of a service, a reporter or a client, the newest first.
_ENDED_NEAR = f"""
SELECT {SELECTED} FROM {{schema}}.{ROWS.name}
WHERE rank IS NULL AND {{where}} AND merged_into IS NULL
  AND {{column}} = %s AND ended_at BETWEEN %s AND %s
ORDER BY {ENDED_ORDER} LIMIT %s
"""  # noqa: S608 # only constants


class Likeness(NamedTuple):
    """How much two incidents have in common, and what."""

    score: int
    because: tuple[Reason, ...]


def likeness(one: QueueRow, other: QueueRow) -> Likeness:
    """Return how alike two incidents are; reasons that count most come first."""
    titles = _long(words_of(one.title)) & _long(words_of(other.title))
    labels = set(one.label_words.split()) & set(other.label_words.split())
    known = one.service != UNKNOWN and one.service == other.service
    found: tuple[tuple[Reason, int], ...] = (
        ("reporter", _REPORTER * (_is_same(one.reporter, other.reporter))),
        ("labels", min(len(labels) // 2, _LABELS_MAX)),
        ("words", min(len(titles), _WORDS_MAX)),
        ("service", _SERVICE * known),
        ("client", _CLIENT * _is_same(one.client, other.client)),
    )
    points = sorted((each for each in found if each[1]), key=lambda each: -each[1])
    return Likeness(
        sum(score for _, score in points), tuple(reason for reason, _ in points)
    )


def _is_same(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


def _long(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) >= WORD_MIN}


class Duplicate(NamedTuple):
    """An incident that may report the same."""

    row: QueueRow
    likeness: Likeness


def ranked(of: QueueRow, others: Iterable[QueueRow]) -> Sequence[Duplicate]:
    """Return the incidents that are likely the same, the likeliest first.

    One that was resolved or ended comes after those at work, unless much likelier.
    """
    found = [Duplicate(other, likeness(of, other)) for other in others]
    likely = [each for each in found if each.likeness.score >= LIKELY]
    likely.sort(
        key=lambda each: (
            ENDED_BEHIND * (each.row.status not in AT_WORK) - each.likeness.score,
            abs(each.row.reported_at - of.reported_at),
            each.row.ref,
        )
    )
    return likely[:PROPOSED_MAX]


def near(
    cursor: Cursors, schema: str, of: QueueRow, sight: Sight, *, ended: bool = False
) -> Sequence[QueueRow]:
    """Return visible incidents near in time, of its service, reporter or client.

    They are at work; with `ended` also those that were resolved, or ended in the month
    before it was reported or in the week after.
    """
    own = {
        "service": None if of.service == UNKNOWN else of.service,
        "reporter": of.reporter,
        "client": of.client,
    }
    until = of.reported_at + WINDOW
    wheres: list[Where] = [("ref <> %s", (of.ref,)), *sight.conditions(schema)]
    where = " AND ".join(text for text, _ in wheres)
    values = [value for _, several in wheres for value in several]
    statuses = [str(status) for status in (IN_STOCK if ended else AT_WORK)]
    times = (of.reported_at - WINDOW, until)
    rows = cursor.execute(
        _NEAR.format(schema=schema, where=where),
        [*values, *own.values(), *times, statuses, COMPARED_MAX],
    ).fetchall()
    since = of.reported_at - ENDED_WINDOW
    for column, value in own.items() if ended else ():
        if value is not None:
            query = _ENDED_NEAR.format(schema=schema, where=where, column=column)
            given = [*values, value, since, until, ENDED_COMPARED_MAX]
            rows += cursor.execute(query, given).fetchall()
    found = (from_columns(columns) for columns in rows)
    return list({row.ref: row for row in found}.values())
