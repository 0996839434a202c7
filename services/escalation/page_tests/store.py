"""The tables of page tests and of their messages, which follow from the log.

The messages of a person are written while the rows of their tests are locked, so that
several processes do not append to one stream at the same time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from psycopg.rows import class_row

from services.escalation.notifications.queued_messages import AGAIN
from shared.database.cursors import Cursors
from shared.domain.events import is_page_test_event
from shared.domain.events.notification import Channel
from shared.domain.events.page_test import (
    PageTestAnswered,
    PageTestConfirmed,
    PageTestDelivered,
    PageTestFailed,
    PageTestMessage,
    PageTestPlanned,
    PageTestRequested,
    PageTestRequestEvent,
    PageTestSent,
)
from shared.eventlog.entry import Entry

KEPT = timedelta(days=3)
"""How long rows are kept: longer than a provider may report."""

_REQUEST = """
INSERT INTO escalation.page_tests (test, person, position, requested_at, expires_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_CLOSE = "UPDATE escalation.page_tests SET is_open = false WHERE test = %s"
_PLAN = """
INSERT INTO escalation.page_test_messages (
    key, test, person, method, channel, position, requested_at, expires_at, next_at
)
SELECT %(key)s, test, person, %(method)s, %(channel)s, %(position)s, requested_at,
       expires_at, %(due_at)s
FROM escalation.page_tests WHERE test = %(test)s ON CONFLICT DO NOTHING
"""
_DROP = "UPDATE escalation.page_test_messages SET next_at = NULL WHERE test = %s"
_DONE = "UPDATE escalation.page_test_messages SET next_at = NULL WHERE key = %s"
_HURRY = """
UPDATE escalation.page_test_messages SET next_at = %(at)s
WHERE key = (
    SELECT key FROM escalation.page_test_messages
    WHERE test = %(test)s AND next_at > %(at)s AND attempts = 0
    ORDER BY next_at, key LIMIT 1
)
"""
_LOCK = "SELECT FROM escalation.page_tests WHERE person = %s ORDER BY test FOR UPDATE"
_OPEN = """
SELECT test, person FROM escalation.page_tests
WHERE is_open AND expires_at > %s ORDER BY requested_at, test LIMIT 1
"""
_IS_OPEN = "SELECT FROM escalation.page_tests WHERE test = %s AND is_open"
_DUE = """
SELECT key, person FROM escalation.page_test_messages
WHERE next_at <= %(now)s AND expires_at > %(now)s ORDER BY next_at, key LIMIT 1
"""
_TAKE = """
UPDATE escalation.page_test_messages SET next_at = %(again)s, attempts = attempts + 1
WHERE key = %(key)s AND next_at <= %(now)s
RETURNING key, test, person, method, channel, position, requested_at, expires_at,
          attempts, (SELECT asked.position FROM escalation.page_tests AS asked
                     WHERE asked.test = page_test_messages.test) AS test_position
"""
_AGAIN = """
UPDATE escalation.page_test_messages SET next_at = %s
WHERE (key, attempts) = (%s, %s) AND next_at IS NOT NULL
"""
# Also if the person has answered meanwhile: the log has to say how the message ended.
_OVER = """
UPDATE escalation.page_test_messages SET next_at = NULL WHERE (key, attempts) = (%s, %s)
"""
_FORGET = """
WITH old AS (
    DELETE FROM escalation.page_tests WHERE requested_at < %s RETURNING test
)
DELETE FROM escalation.page_test_messages AS held USING old WHERE held.test = old.test
"""


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A message of a test that is to be sent."""

    key: str
    test: str
    person: str
    method: str
    channel: Channel
    position: int
    """Position of the plan in the log."""
    requested_at: datetime
    expires_at: datetime
    attempts: int
    test_position: int
    """Position of the request of the test in the log."""

    @property
    def kind(self) -> str:
        """What it is about, for logs."""
        return self.channel


def note(cursor: Cursors, entry: Entry) -> None:
    """Keep what an event says of a test; a repeat changes nothing."""
    event = entry.event
    if not is_page_test_event(event):
        return
    lock(cursor, event.person)
    match event:
        case PageTestRequested() | PageTestAnswered():
            _note_request(cursor, event, entry.position)
        case PageTestPlanned(test=test, messages=messages):
            cursor.execute(_CLOSE, (test,))
            for message in messages:
                cursor.execute(_PLAN, _planned(message, test, entry.position))
        case PageTestConfirmed(key=key):
            cursor.execute(_DONE, (key,))
        case PageTestFailed(key=key, test=test):
            cursor.execute(_DONE, (key,))
            cursor.execute(_HURRY, {"at": event.at, "test": test})
        case PageTestSent() | PageTestDelivered():
            pass
        case _:
            assert_never(event)


def _note_request(cursor: Cursors, event: PageTestRequestEvent, position: int) -> None:
    match event:
        case PageTestRequested():
            given: tuple[Any, ...] = (event.test, event.person, position)
            cursor.execute(_REQUEST, (*given, event.at, event.expires_at))
        case PageTestAnswered(test=test):
            cursor.execute(_CLOSE, (test,))
            cursor.execute(_DROP, (test,))
        case _:
            assert_never(event)


def _planned(message: PageTestMessage, test: str, position: int) -> dict[str, Any]:
    return {
        "key": message.key,
        "method": message.method,
        "channel": message.channel,
        "position": position,
        "due_at": message.due_at,
        "test": test,
    }


def lock(cursor: Cursors, person: str) -> None:
    """Let nobody else write about the tests of a person until the transaction ends."""
    cursor.execute(_LOCK, (person,))


def next_open(cursor: Cursors, now: datetime) -> tuple[str, str] | None:
    """Return test and person of the next test to be planned, and lock the person's."""
    row = cursor.execute(_OPEN, (now,)).fetchone()
    if row is None:
        return None
    lock(cursor, row[1])
    is_open = cursor.execute(_IS_OPEN, (row[0],)).fetchone() is not None
    return (row[0], row[1]) if is_open else None


def close(cursor: Cursors, test: str) -> None:
    """Store that a test is planned."""
    cursor.execute(_CLOSE, (test,))


def take(cursor: Cursors, now: datetime) -> MessageRequest | None:
    """Take the next message that is due, None if none is. It is due again in a while.

    What is about its person is locked.
    """
    asked = {"now": now, "again": now + AGAIN}
    row = cursor.execute(_DUE, asked).fetchone()
    if row is None:
        return None
    lock(cursor, row[1])
    with cursor.connection.cursor(row_factory=class_row(MessageRequest)) as rows:
        return rows.execute(_TAKE, asked | {"key": row[0]}).fetchone()


def again(cursor: Cursors, request: MessageRequest, at: datetime) -> bool:
    """Store when a message is tried again; False if it is over, or another sender's."""
    lock(cursor, request.person)
    given = (at, request.key, request.attempts)
    return bool(cursor.execute(_AGAIN, given).rowcount)


def over(cursor: Cursors, request: MessageRequest, outcome: str) -> bool:
    """Store that a message is over; False if another sender has it.

    The log has the outcome.
    """
    del outcome
    lock(cursor, request.person)
    return bool(cursor.execute(_OVER, (request.key, request.attempts)).rowcount)


def forget(cursor: Cursors, now: datetime) -> None:
    """Delete rows that nothing refers to any more."""
    cursor.execute(_FORGET, (now - KEPT,))
