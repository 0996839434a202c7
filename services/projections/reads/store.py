"""Asks who read what. The database records the question before it answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.database.cursors import Cursors

_ASK = """
SELECT key, at, reader, record, served, address, records, reason
FROM reads.ask(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class Place(NamedTuple):
    """The last row of a page."""

    at: datetime
    key: str


class Question(NamedTuple):
    """What somebody asks, and why."""

    by: str
    reason: str
    record: str | None
    reader: str | None
    start: datetime
    end: datetime


class ReadRow(NamedTuple):
    """Somebody read something: `at`, or in the quarter of an hour that begins then."""

    key: str
    at: datetime
    reader: str
    record: str | None
    served: Sequence[str]
    address: str | None
    records: int | None
    reason: str | None


def ask(
    cursor: Cursors,
    question: Question,
    now: datetime,
    before: Place | None,
    limit: int,
) -> list[ReadRow]:
    """Record a question, and return the rows that answer it, the newest first."""
    at, key = before or (None, None)
    rows = cursor.execute(_ASK, (*question, at, key, limit, now))
    return [ReadRow(*row) for row in rows]
