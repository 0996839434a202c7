"""The queue, filters and cursor of a query.

A cursor is the sort key of the last row of a page, in opaque form. It is not a number
of rows, so no row is shown twice or skipped when others were added or removed.
"""

import base64
import binascii
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import get_args

import orjson

from services.projections.queue.expression import (
    All,
    Expression,
    Term,
    may_match,
    names_ended,
)
from services.projections.queue.order import NEVER, RANKS, rank
from services.projections.queue.row import QueueRow
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import IN_STOCK, Status
from shared.domain.policy.priorities import Priority
from shared.domain.policy.teams import QueueOrder
from shared.eventlog.epochs import OtherEpoch

Q_MAX = 200
BY_WORKING_TIME: QueueOrder = "working_time_left"


class Lifecycle(StrEnum):
    """Open incidents, by urgency, or ended ones, newest first."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QueueName:
    """A queue: all, unassigned, that of one team, or (`mine`) that of one person."""

    kind: str
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for: all of these conditions hold; empty ones match all.

    Several statuses or priorities match any of them, and `where` is anything else.
    """

    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    service: str | None = None
    client: str | None = None
    reporter: str | None = None
    where: tuple[Expression, ...] = ()
    q: str | None = None
    """Words, or a complete reference."""
    by_name: bool = False
    """Whether words also match names of people."""


class MixedStanding(Exception):
    """Open and ended incidents are requested together: their orders differ."""


def conjunction(filters: Filters) -> tuple[Expression, ...]:
    """Return everything that must hold, except for the words."""
    named = {name: getattr(filters, name) for name in ("service", "client", "reporter")}
    terms = [Term(name, (value,)) for name, value in named.items() if value is not None]
    if filters.priority:
        terms.append(Term("priority", filters.priority))
    if filters.status:
        terms.append(Term("status", tuple(each.value for each in filters.status)))
    return (*terms, *filters.where)


def statuses(filters: Filters) -> frozenset[Status]:
    """Return the statuses that matching incidents may have."""
    whole = All(conjunction(filters))
    return frozenset(status for status in Status if may_match(whole, status))


def standing(filters: Filters) -> Lifecycle:
    """Return which incidents are selected: open ones, unless all that match are ended.

    Raises `MixedStanding` if both are asked for.
    """
    stocked = {status in IN_STOCK for status in statuses(filters)}
    if stocked == {False}:
        return Lifecycle.ENDED
    if stocked == {True, False} and any(map(names_ended, conjunction(filters))):
        raise MixedStanding
    return Lifecycle.OPEN


def digest(
    queue: QueueName, filters: Filters, order: QueueOrder = BY_WORKING_TIME
) -> str:
    """Return a digest that identifies this query; its cursors contain it."""
    asked: list[object] = [asdict(queue), asdict(filters)]
    if order != BY_WORKING_TIME:
        asked.append(order)
    text = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()[:16]


Key = tuple[object, ...]
CURSOR_MAX = 512
YEARS = range(2000, 2200)
"""The years for which a cursor may have counted working time."""


class BadCursor(Exception):
    """Not a valid cursor, or one of another query; the sentence says which."""


def open_key(row: QueueRow, left: int, counted_at: datetime) -> Key:
    """Return the sort key of an open row with `left` working seconds.

    It serves every order. It begins with the instant for which the time was computed:
    the next page uses the same instant, so that rows keep their places.
    """
    return (
        counted_at,
        rank(row),
        left,
        row.priority,
        not row.user_reported,
        row.reported_at,
        row.ref,
    )


def ended_key(row: QueueRow) -> Key:
    """Return the sort key of the row of an ended incident."""
    return (row.ended_at, row.ref)


def write(asked: str, key: Key, epoch: str = "") -> str:
    """Return the cursor after `key` for the query with the digest `asked`.

    `epoch` is the label of the epoch the page was read in; empty for the first one.
    """
    text = orjson.dumps([_named(asked, epoch), *key], option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read(asked: str, cursor: str, standing: Lifecycle, epoch: str = "") -> Key:
    """Return the key in a cursor of this query.

    Raises `BadCursor`, or `OtherEpoch` if it was read in another epoch than `epoch`.
    """
    broken = BadCursor("this is not a cursor: take `next_cursor` as it was given")
    if len(cursor) > CURSOR_MAX:
        raise broken
    try:
        text = base64.b64decode(f"{cursor}===", altchars=b"-_", validate=False)
        parts = orjson.loads(text)
    except (binascii.Error, ValueError) as error:
        raise broken from error
    if not isinstance(parts, list) or not parts:
        raise broken
    if not isinstance(parts[0], str):
        raise broken
    if parts[0].partition("@")[0] == asked and parts[0] != _named(asked, epoch):
        raise OtherEpoch("the log was restored since: start without a cursor")
    if parts[0] != _named(asked, epoch):
        raise BadCursor(
            "this cursor is of another query: start that one without a cursor"
        )
    try:
        key = _read_open if standing is Lifecycle.OPEN else _read_ended
        return key(*parts[1:])
    except (TypeError, ValueError, OverflowError) as error:
        raise broken from error


def _named(asked: str, epoch: str) -> str:
    return f"{asked}@{epoch}" if epoch else asked


def _read_open(counted_at: str, rank_: int, left: int, *rest: object) -> Key:
    priority, monitored, reported_at, ref = rest
    # `True` is 1 to Python, but PostgreSQL does not cast it to a number.
    known = type(rank_) is int and rank_ in RANKS and priority in get_args(Priority)
    at = _instant(counted_at)
    if not known or not isinstance(monitored, bool) or at.year not in YEARS:
        raise ValueError
    if type(left) is not int or abs(left) > NEVER:
        raise ValueError
    return (at, rank_, left, priority, monitored, _instant(reported_at), _ref(ref))


def _read_ended(ended_at: str, ref: str) -> Key:
    return (_instant(ended_at), _ref(ref))


def _ref(text: object) -> str:
    if not isinstance(text, str) or not is_incident_ref(text):
        raise ValueError
    return text


def _instant(text: object) -> datetime:
    if not isinstance(text, str):
        raise TypeError
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
