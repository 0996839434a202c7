"""The pool of anonymous answers, and the marks of the invitations that were used.

The pool of a survey is one encrypted row, which each answer writes again: rows have no
order, no instant and no version that belongs to one answer. It is padded, so its size
does not tell how long a comment is.
"""

from datetime import datetime, timedelta

from services.intake.anonymous_answers.rules import OWNER, Pool
from shared.database.cursors import Cursors
from shared.domain.survey.invitation import Invitation
from shared.eventlog.log import EventLog

PADDED_BYTES = 65_536
"""The size of a pool is a multiple of this."""
POOL_BYTES_MAX = 8_000_000
CLOCKS_DIFFER_MAX = timedelta(hours=1)
"""An intake whose clock is behind by less may still take an answer."""

_BEGIN = """
INSERT INTO intake.anonymous_answers (survey, sealed) VALUES (%s, '')
ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT sealed FROM intake.anonymous_answers WHERE survey = %s FOR UPDATE"
_WRITE = """
UPDATE intake.anonymous_answers SET sealed = %s, waits = %s WHERE survey = %s
"""
_SURVEYS = "SELECT survey FROM intake.anonymous_answers ORDER BY survey"
_MARK = """
INSERT INTO intake.used_invitations (invitation, survey, expires_at)
VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_TAKE_MARKS = """
DELETE FROM intake.used_invitations WHERE survey = %s
RETURNING invitation, survey, expires_at
"""
_PUT_MARKS = """
INSERT INTO intake.used_invitations (invitation, survey, expires_at)
SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[])
"""


class PoolFull(Exception):
    """More answers wait than one row may hold."""


def lock_pool(log: EventLog, cursor: Cursors, survey: str) -> Pool:
    """Return the answers to a survey that wait, locked until the transaction ends."""
    cursor.execute(_BEGIN, (survey,))
    row = cursor.execute(_LOCK, (survey,)).fetchone()
    sealed = row[0] if row else ""
    words = log.vault.open(sealed, _place(survey)) if sealed else None
    return Pool() if words is None else Pool.model_validate_json(words)


def write_pool(log: EventLog, cursor: Cursors, survey: str, pool: Pool) -> None:
    """Write the answers that wait. Raises `PoolFull`."""
    words = pool.model_dump_json().encode()
    if len(words) > POOL_BYTES_MAX:
        raise PoolFull(f"the answers to {survey} that wait have {len(words)} bytes")
    padded = words + b" " * (-len(words) % PADDED_BYTES)
    sealed = log.vault.seal(OWNER, padded, _place(survey))
    cursor.execute(_WRITE, (sealed, bool(pool.answers), survey))


def _place(survey: str) -> str:
    return f"anonymous answers|{survey}"


def surveys_with_pools(cursor: Cursors) -> list[str]:
    """Return the surveys that ever had an anonymous answer."""
    return [name for (name,) in cursor.execute(_SURVEYS).fetchall()]


def mark_used(cursor: Cursors, held: Invitation) -> bool:
    """Mark an invitation as answered; False if it is. The pool is locked before."""
    row = (held.ref, held.survey, held.expires_at)
    return bool(cursor.execute(_MARK, row).rowcount)


def rewrite_marks(cursor: Cursors, survey: str, now: datetime) -> None:
    """Write the marks of a survey again in the order of their names.

    Rows in a table's file lie in the order in which they were written, and have the
    number of their transaction: both would tell in which order people answered. Marks
    of invitations that have expired are deleted, since those take no answer.
    """
    since = now - CLOCKS_DIFFER_MAX
    rows = cursor.execute(_TAKE_MARKS, (survey,)).fetchall()
    columns = tuple(zip(*sorted(row for row in rows if row[2] > since), strict=True))
    if columns:
        cursor.execute(_PUT_MARKS, tuple(map(list, columns)))
