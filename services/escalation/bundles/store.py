"""What was sent to each contact method lately, and which pages wait for it: SQL.

A transaction that decides about a page locks the row of its contact method, so that
two pages of one moment count each other. That row comes after the row of the outbox:
nothing here locks another row of the outbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from services.escalation.notifications.outbox import Waiting
from shared.database.cursors import Cursors
from shared.domain.events.escalation import EscalationPaged
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

Cause = tuple[str, int]
"""The stream and the version of the page that a message is about."""

_OPEN = """
INSERT INTO escalation.page_windows (person, channel, method) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT sent_at FROM escalation.page_windows
WHERE (person, channel, method) = (%s, %s, %s) FOR UPDATE
"""
_COUNT = """
UPDATE escalation.page_windows SET sent_at = %s
WHERE (person, channel, method) = (%s, %s, %s)
"""
_HOLD = "INSERT INTO escalation.held_pages (key) VALUES (%s) ON CONFLICT DO NOTHING"
_HELD = "SELECT coalesce(bundle, '') FROM escalation.held_pages WHERE key = %s"
_WAITING = """
SELECT page.key, page.position, page.incident, held.key IS NOT NULL,
       page.cause_stream, page.cause_version, own.state
FROM escalation.outbox AS page
JOIN escalation.cases AS own ON own.incident = page.incident
LEFT JOIN escalation.held_pages AS held ON held.key = page.key
WHERE (page.person, page.channel, page.method) = (%s, %s, %s) AND page.kind = 'page'
  AND NOT page.sent AND held.bundle IS NULL AND page.key <> %s
ORDER BY page.position LIMIT %s
"""
_BUNDLED = """
SELECT page.key, page.position, page.incident, true,
       page.cause_stream, page.cause_version, own.state
FROM escalation.held_pages AS held
JOIN escalation.outbox AS page ON page.key = held.key
JOIN escalation.cases AS own ON own.incident = page.incident
WHERE held.bundle = %s AND page.key <> %s ORDER BY page.position
"""
_CAUSES = (
    SELECT_ROWS  # noqa: S608 # our own names
    + "WHERE (originator_id, originator_version) IN "
    + "(SELECT * FROM unnest(%s::text[], %s::bigint[]))"
)
_BUNDLE = """
INSERT INTO escalation.held_pages (key, bundle, leads)
SELECT key, %s, key = %s FROM unnest(%s::text[]) AS key
ON CONFLICT (key) DO UPDATE SET bundle = excluded.bundle, leads = excluded.leads
"""


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page to the same contact method that has not left yet."""

    key: str
    position: int
    incident: str
    is_held: bool
    """Whether it waits because of the limits."""
    cause: Cause
    state: Mapping[str, Any]
    """The case of its incident, as stored."""


def sent_at(cursor: Cursors, page: Waiting) -> list[datetime]:
    """Return when pages left to the contact method of a page; locks its row."""
    method = _method_of(page)
    cursor.execute(_OPEN, method)
    row = cursor.execute(_LOCK, method).fetchone()
    return list(row[0]) if row else []


def count(cursor: Cursors, page: Waiting, sent: Sequence[datetime]) -> None:
    """Store when pages left to the contact method of a page."""
    cursor.execute(_COUNT, (list(sent), *_method_of(page)))


def held(cursor: Cursors, key: str) -> str | None:
    """Return the bundle of a page that waits, "" without one; None if it need not."""
    row = cursor.execute(_HELD, (key,)).fetchone()
    return str(row[0]) if row else None


def hold(cursor: Cursors, key: str) -> bool:
    """Store that a page waits because of the limits; tell whether that is new."""
    return cursor.execute(_HOLD, (key,)).rowcount > 0


def others(cursor: Cursors, page: Waiting, most: int) -> list[WaitingPage]:
    """Return up to `most` other pages to the same contact method, the oldest first."""
    return _pages(cursor, _WAITING, (*_method_of(page), page.key, most))


def bundled(cursor: Cursors, page: Waiting) -> list[WaitingPage]:
    """Return the other pages of the bundle of a page that are not done."""
    return _pages(cursor, _BUNDLED, (page.bundle, page.key))


def _pages(
    cursor: Cursors, query: LiteralString, asked: Sequence[object]
) -> list[WaitingPage]:
    found = cursor.execute(query, asked)
    return [
        WaitingPage(key, position, incident, is_held, (stream, version), state)
        for key, position, incident, is_held, stream, version, state in found
    ]


def causes(
    log: EventLog, cursor: Cursors, of: Sequence[Cause]
) -> Mapping[Cause, EscalationPaged]:
    """Return the pages that messages are about, without those that cannot be read."""
    given = ([stream for stream, _ in of], [version for _, version in of])
    rows = cursor.execute(_CAUSES, given, binary=True).fetchall()
    return {
        (entry.stream, entry.version): entry.event
        for entry in log.without_words([Row(*row) for row in rows]).entries
        if isinstance(entry.event, EscalationPaged)
    }


def bundle(cursor: Cursors, name: str, leader: str, keys: Sequence[str]) -> None:
    """Store that pages leave as one bundle, which is sent for its `leader`."""
    cursor.execute(_BUNDLE, (name, leader, sorted(keys)))


def _method_of(page: Waiting) -> tuple[str, str, str]:
    return page.person, page.channel, page.method
