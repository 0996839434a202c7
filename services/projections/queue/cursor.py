"""Where a page ends and the next begins: the sort key of its last row, opaque.

A key and not a number of rows, so that no row is shown twice or left out because
others came or went meanwhile.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import get_args

import orjson

from services.projections.queue.filters import Standing
from services.projections.queue.row import RANKS, QueueRow, rank
from services.projections.queue.working_order import NEVER
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.priorities import Priority
from shared.eventlog.epochs import OtherEpoch

Key = tuple[object, ...]
CURSOR_MAX = 512
YEARS = range(2000, 2200)
"""The years at which working time may have been counted."""


class BadCursor(Exception):
    """Not a cursor of ours, or of another query; the sentence says which."""


def open_key(row: QueueRow, left: int, counted_at: datetime) -> Key:
    """Return the sort key of an open row with so much working time left.

    It serves every order. It begins with the instant at which that was counted: the
    next page counts at the same one, or the rows between would move.
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
    """Return the sort key of a row that ended."""
    return (row.ended_at, row.ref)


def write(asked: str, key: Key, epoch: str = "") -> str:
    """Return the cursor after `key` for the query whose digest is `asked`.

    `epoch` is the label of the epoch the page was read in; empty for the first one.
    """
    text = orjson.dumps([_named(asked, epoch), *key], option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read(asked: str, cursor: str, standing: Standing, epoch: str = "") -> Key:
    """Return the key in a cursor of this very query.

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
        key = _read_open if standing is Standing.OPEN else _read_ended
        return key(*parts[1:])
    except (TypeError, ValueError, OverflowError) as error:
        raise broken from error


def _named(asked: str, epoch: str) -> str:
    return f"{asked}@{epoch}" if epoch else asked


def _read_open(counted_at: str, rank_: int, left: int, *rest: object) -> Key:
    priority, monitored, reported_at, ref = rest
    known = rank_ in RANKS and priority in get_args(Priority)
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
