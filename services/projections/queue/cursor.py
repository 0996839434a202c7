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
from services.projections.queue.row import RANK, QueueRow
from shared.policy.scales import Priority
from shared.references import is_incident_ref

Key = tuple[object, ...]
CURSOR_MAX = 512


class BadCursor(Exception):
    """Not a cursor of ours, or of another query; the sentence says which."""


def key_of(row: QueueRow, standing: Standing) -> Key:
    """Return the sort key of a row in the order of its standing."""
    if standing is Standing.ENDED:
        return (row.ended_at, row.ref)
    return (RANK[row.status], row.priority, row.reported_at, row.ref)


def write(asked: str, key: Key) -> str:
    """Return the cursor after `key` for the query whose digest is `asked`."""
    text = orjson.dumps([asked, *key], option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read(asked: str, cursor: str, standing: Standing) -> Key:
    """Return the key in a cursor of this very query; raises `BadCursor`."""
    broken = BadCursor("this is no cursor: take `next_cursor` as it was given")
    if len(cursor) > CURSOR_MAX:
        raise broken
    try:
        text = base64.b64decode(f"{cursor}===", altchars=b"-_", validate=False)
        parts = orjson.loads(text)
    except (binascii.Error, ValueError) as error:
        raise broken from error
    if not isinstance(parts, list) or not parts:
        raise broken
    if parts[0] != asked:
        raise BadCursor(
            "this cursor is of another query: start that one without a cursor"
        )
    try:
        key = _open_key if standing is Standing.OPEN else _ended_key
        return key(*parts[1:])
    except (TypeError, ValueError, OverflowError) as error:
        raise broken from error


def _open_key(rank: int, priority: str, reported_at: str, ref: str) -> Key:
    if rank not in RANK.values() or priority not in get_args(Priority):
        raise ValueError
    return (rank, priority, _instant(reported_at), _ref(ref))


def _ended_key(ended_at: str, ref: str) -> Key:
    return (_instant(ended_at), _ref(ref))


def _ref(text: str) -> str:
    if not is_incident_ref(text):
        raise ValueError
    return text


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
