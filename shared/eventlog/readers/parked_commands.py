"""Requests of administrators about a reader's parked events, and the answers.

Only the service has the rules, settings and rights to handle them. So the command line,
or the owner of a command, stores a request, and the process that runs the reader
executes it: in one transaction with the answer and, for skipped events, with the record
of who skipped them and why.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, assert_never
from uuid import UUID

from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import NEWEST, EventLog, Row
from shared.eventlog.readers.parked_events import (
    ParkedEvent,
    PassOver,
    StillPoison,
    apply_parked,
    failed_again,
    parked_events,
    remove,
    rows_of,
)
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.transaction import Apply

Action = Literal["retry", "skip"]
Outcome = Literal["applied", "skipped", "still parked", "nothing parked"]

READ_MODELS = "rm"
"""The schema of requests about read models, whose own schemas are temporary."""

_ASK = """
INSERT INTO {home}.parked_requests
       (reader, stream, action, whole, requested_by, reason, position, command_id)
SELECT %(reader)s, %(stream)s, %(action)s, %(whole)s, %(by)s, %(reason)s,
       %(position)s::bigint, %(command_id)s::uuid
WHERE NOT EXISTS (
    SELECT FROM {home}.parked_requests
    WHERE reader = %(reader)s AND stream = %(stream)s AND answered_at IS NULL
)
ON CONFLICT DO NOTHING
RETURNING request_id
"""
_OPEN = """
SELECT request_id FROM {home}.parked_requests
WHERE reader = %(reader)s AND stream = %(stream)s AND answered_at IS NULL
  AND action = %(action)s AND whole = %(whole)s
  AND position IS NOT DISTINCT FROM %(position)s::bigint
"""
_ASKED = """
SELECT request_id FROM {home}.parked_requests
WHERE command_id = %s AND reader = %s AND stream = %s AND action = %s
  AND position IS NOT DISTINCT FROM %s::bigint AND reason IS NOT DISTINCT FROM %s
"""
_IS_USED = "SELECT FROM {home}.parked_requests WHERE command_id = %s"
_WAITS = """
SELECT FROM {home}.parked_requests WHERE reader = %s AND answered_at IS NULL LIMIT 1
"""
_NEXT = """
SELECT request_id, stream, action, whole, requested_by, role, reason, position
FROM {home}.parked_requests WHERE reader = %s AND answered_at IS NULL
ORDER BY request_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_ANSWER = """
UPDATE {home}.parked_requests SET answered_at = clock_timestamp(), outcome = %s,
    skipped = %s, applied = %s, error = %s
WHERE request_id = %s
"""
_ANSWERED = """
SELECT outcome, skipped, applied, error FROM {home}.parked_requests
WHERE request_id = %s AND answered_at IS NOT NULL
"""
_SKIP = """
INSERT INTO {home}.skipped (request_id, reader, position, stream, error, parked_at,
                            skipped_by, role, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SKIPPED = """
SELECT reader, stream, position, error, skipped_at, skipped_by, role, reason
FROM {home}.skipped ORDER BY skip_id DESC LIMIT %s
"""
_SKIPPED_OF = """
SELECT position FROM {home}.skipped WHERE reader = %s AND stream = ANY(%s)
"""


class Skipped(NamedTuple):
    """An event that a reader skipped, on whose request, and why."""

    reader: str
    stream: str
    position: int
    error: str
    skipped_at: datetime
    skipped_by: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParkedRequest:
    """A request about a stream: to retry it, or to skip its first event or all.

    If `position` is given, nothing is skipped unless the first event is at it.
    """

    bookmark: Bookmark
    stream: str
    action: Action
    by: str
    whole: bool = False
    reason: str | None = None
    position: int | None = None
    command_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a request: how many events were skipped and applied, or an error.

    With skipped events and an `error`, the events after those cannot be applied either.
    """

    outcome: Outcome
    skipped: int = 0
    applied: int = 0
    error: str | None = None


class Conflict(Exception):
    """Another request about the stream is not answered yet."""


class IdReused(Exception):
    """The id of the command was used for another request."""


class _Request(NamedTuple):
    request_id: int
    stream: str
    action: Action
    whole: bool
    by: str
    role: str
    reason: str | None
    position: int | None


def home_of(bookmark: Bookmark) -> str:
    """Return the schema of the requests about a reader and of its skipped events."""
    schema = bookmark.schema
    return READ_MODELS if schema.startswith(f"{READ_MODELS}_") else schema


def ask(cursor: Cursors, wanted: ParkedRequest) -> int:
    """Store a request and return its number; an equal open request is reused.

    So is the one of a repeated command, answered or not. Raises `Conflict` if another
    request about the stream is open, `IdReused`.
    """
    home = home_of(wanted.bookmark)
    if (known := _asked(cursor, home, wanted)) is not None:
        return known
    values = {
        "reader": wanted.bookmark.reader,
        "stream": wanted.stream,
        "action": wanted.action,
        "whole": wanted.whole,
        "by": wanted.by,
        "reason": wanted.reason,
        "position": wanted.position,
        "command_id": wanted.command_id,
    }
    for query in (_ASK, _OPEN):
        row = cursor.execute(query.format(home=home), values).fetchone()
        if row is not None:
            return int(row[0])
    # Another process may have taken the same command in between.
    if (known := _asked(cursor, home, wanted)) is not None:
        return known
    raise Conflict(
        f"something else is asked about {wanted.stream}: wait for its answer"
    )


def _asked(cursor: Cursors, home: str, wanted: ParkedRequest) -> int | None:
    """Return the request that this command stored before, None if it is new."""
    if wanted.command_id is None:
        return None
    values = (
        wanted.command_id,
        wanted.bookmark.reader,
        wanted.stream,
        wanted.action,
        wanted.position,
        wanted.reason,
    )
    row = cursor.execute(_ASKED.format(home=home), values).fetchone()
    if row is not None:
        return int(row[0])
    used = cursor.execute(_IS_USED.format(home=home), (wanted.command_id,))
    if used.rowcount:
        raise IdReused(str(wanted.command_id))
    return None


def answer_of(cursor: Cursors, bookmark: Bookmark, request: int) -> Answer | None:
    """Return the answer to a request, None if it is not answered yet."""
    query = _ANSWERED.format(home=home_of(bookmark))
    row = cursor.execute(query, (request,)).fetchone()
    return Answer(*row) if row else None


def skipped_events(cursor: Cursors, home: str, limit: int) -> list[Skipped]:
    """Return up to `limit` events that `home` records as skipped, the latest first."""
    rows = cursor.execute(_SKIPPED.format(home=home), (limit,)).fetchall()
    return [Skipped(*row) for row in rows]


def unskipped(
    log: EventLog,
    cursor: Cursors,
    bookmark: Bookmark,
    streams: Sequence[str],
    upto: int = NEWEST,
) -> list[Entry]:
    """Return the entries of several streams up to a position, stream by stream.

    Leaves out unreadable entries that the reader was told to skip: skipping an event
    means using the rest without it. Raises like `EventLog.histories`.
    """
    rows = log.stored_histories(cursor, streams, upto)
    return unskipped_among(log, cursor, bookmark, rows)


def unskipped_among(
    log: EventLog, cursor: Cursors, bookmark: Bookmark, rows: Sequence[Row]
) -> list[Entry]:
    """Return stored rows as entries, likewise."""
    try:
        return log.entries(rows)
    except Unavailable:
        raise
    except Exception:
        skipped = skipped_among(cursor, bookmark, rows)
        if not skipped:
            raise
    return [e for row in rows if (e := _unskipped(log, row, skipped)) is not None]


def skipped_among(
    cursor: Cursors, bookmark: Bookmark, rows: Sequence[Row]
) -> frozenset[int]:
    """Return the positions that the reader was told to skip in the streams of rows."""
    query = _SKIPPED_OF.format(home=home_of(bookmark))
    streams = sorted({row.stream for row in rows})
    found = cursor.execute(query, (bookmark.reader, streams))
    return frozenset(position for (position,) in found)


def _unskipped(log: EventLog, row: Row, skipped: Collection[int]) -> Entry | None:
    try:
        return log.entry(row)
    except Unavailable:
        raise
    except Exception:
        if row.position in skipped:
            return None
        raise


def _not_first(request: _Request, first: ParkedEvent) -> str | None:
    """Return why the first parked event is not the one to skip, None if it is."""
    if request.whole:
        return None
    if first.stream != request.stream:
        return f"it waits behind {first.stream}: skip that first"
    if request.position not in {None, first.position}:
        return f"the first parked event is at {first.position} now: nothing was skipped"
    return None


@dataclass(frozen=True)
class ParkedRequests:
    """Executes the requests about one reader. `pass_over` implements skipping."""

    log: EventLog
    bookmark: Bookmark
    apply: Apply
    pass_over: PassOver

    def skip_again(self, cursor: Cursors, row: Row) -> bool:
        """Skip an event that was skipped before; return False if it was not."""
        if row.position not in skipped_among(cursor, self.bookmark, [row]):
            return False
        self.pass_over(cursor, [row])
        return True

    def answer_all(self) -> int:
        """Answer every open request; return how many there were. Blocks.

        Raises `Unavailable`, `StaleVersion` and `Overtaken` if the next request has to
        be retried later.
        """
        count = 0
        while self._answer_next():
            count += 1
        return count

    def _answer_next(self) -> bool:
        home, reader = home_of(self.bookmark), self.bookmark.reader
        self.log.require_continued()
        query = _WAITS.format(home=home)
        if not self.log.read(lambda c: c.execute(query, (reader,)).fetchall()):
            return False
        with self.log.transaction() as cursor:
            row = cursor.execute(_NEXT.format(home=home), (reader,)).fetchone()
            if row is None:
                return False
            request = _Request(*row)
            self.pass_over(cursor, [])
            events = parked_events(cursor, self.bookmark, request.stream)
            if not events:
                self._answer(cursor, request, Answer("nothing parked"))
                return True
            match request.action:
                case "retry":
                    self._retry(cursor, request, events)
                case "skip":
                    self._skip(cursor, request, events)
                case _:
                    assert_never(request.action)
        return True

    def _retry(
        self, cursor: Cursors, request: _Request, events: Sequence[ParkedEvent]
    ) -> None:
        done = Answer("applied", applied=len(events))
        if error := self._applied(cursor, request, events, done):
            self._answer(cursor, request, Answer("still parked", error=error))

    def _skip(
        self, cursor: Cursors, request: _Request, events: Sequence[ParkedEvent]
    ) -> None:
        if (why := _not_first(request, events[0])) is not None:
            self._answer(cursor, request, Answer("still parked", error=why))
            return
        count = len(events) if request.whole else 1
        skipped, rest = events[:count], events[count:]
        for event in skipped:
            self._record(cursor, request, event)
        self._pass_over(cursor, skipped)
        remove(cursor, self.bookmark, skipped)
        done = Answer("skipped", count, len(rest))
        if not rest:
            self._answer(cursor, request, done)
        elif error := self._applied(cursor, request, rest, done):
            failed_again(cursor, self.bookmark, rest[0], error)
            self._answer(cursor, request, Answer("skipped", count, error=error))

    def _applied(
        self,
        cursor: Cursors,
        request: _Request,
        events: Sequence[ParkedEvent],
        done: Answer,
    ) -> str | None:
        """Store the answer `done`, then apply: the append comes last.

        Return the error if that fails; then nothing was changed.
        """
        try:
            with self.log.savepoint(cursor, "request"):
                self._answer(cursor, request, done)
                apply_parked(self.log, cursor, self.bookmark, self.apply, events)
        except StillPoison as error:
            return str(error)
        return None

    def _pass_over(self, cursor: Cursors, events: Sequence[ParkedEvent]) -> None:
        try:
            rows = rows_of(cursor, events)
        except LookupError:
            return  # of another log: no events wait for them
        self.pass_over(cursor, rows)

    def _record(self, cursor: Cursors, request: _Request, event: ParkedEvent) -> None:
        values = (
            request.request_id,
            self.bookmark.reader,
            event.position,
            event.stream,
            event.error,
            event.parked_at,
            request.by,
            request.role,
            request.reason,
        )
        cursor.execute(_SKIP.format(home=home_of(self.bookmark)), values)

    def _answer(self, cursor: Cursors, request: _Request, answer: Answer) -> None:
        values = (
            answer.outcome,
            answer.skipped,
            answer.applied,
            answer.error,
            request.request_id,
        )
        cursor.execute(_ANSWER.format(home=home_of(self.bookmark)), values)
