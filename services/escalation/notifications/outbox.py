"""The outbox: notifications that are requested and neither confirmed nor failed.

The reader fills and empties it from the log. Per incident, channel, person
and contact method, notifications leave in order: a later one waits until the earlier
one is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.escalation.rules.requests import STAFF
from shared.database.cursors import Cursors
from shared.domain import events
from shared.eventlog.entry import Entry

_INSERT = """
INSERT INTO escalation.outbox (
    key, position, incident, policy, kind, channel, person, cause_stream,
    cause_version, requested_at, next_at, method
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
# In the order in which the sender locks them.
_LOCK = "SELECT FROM escalation.outbox WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
_SENT = "UPDATE escalation.outbox SET sent = true WHERE key = ANY(%s) AND NOT sent"
_OVER = "DELETE FROM escalation.outbox WHERE key = ANY(%s)"
_FORGET_HELD = "DELETE FROM escalation.held_pages WHERE key = ANY(%s)"
_THROTTLED = """
INSERT INTO escalation.held_pages (key)
SELECT key FROM escalation.outbox WHERE key = %s ON CONFLICT DO NOTHING
"""
_BUNDLED = """
INSERT INTO escalation.held_pages (key, bundle, leads)
SELECT key, %(bundle)s, key = %(leader)s FROM escalation.outbox
WHERE key = ANY(%(keys)s)
ON CONFLICT (key) DO UPDATE SET bundle = excluded.bundle, leads = excluded.leads
WHERE escalation.held_pages.bundle IS NULL
"""
_HELD_ALONE = """
SELECT key FROM escalation.held_pages WHERE bundle IS NULL ORDER BY key
"""
_RELEASE = """
UPDATE escalation.outbox SET next_at = least(next_at, %s) WHERE key = ANY(%s)
"""
_COLUMNS = """
SELECT key, position, incident, policy, kind, channel, person, cause_stream,
       cause_version, requested_at, sent, attempts, method,
       coalesce((SELECT bundle FROM escalation.held_pages AS held
                 WHERE held.key = own.key), '')
FROM escalation.outbox AS own
"""
# One page is sent for all of its bundle. Its row is deleted last, after a crash too.
_LEADS_ITS_BUNDLE = """NOT EXISTS (
    SELECT FROM escalation.held_pages AS held
    JOIN escalation.held_pages AS leader ON leader.bundle = held.bundle
    JOIN escalation.outbox AS first ON first.key = leader.key
    WHERE held.key = own.key AND leader.leads AND leader.key <> held.key
)"""
_FIRST_OF_LANE = """NOT EXISTS (
    SELECT FROM escalation.outbox AS earlier
    WHERE (earlier.incident, earlier.channel, earlier.person)
        = (own.incident, own.channel, own.person) AND earlier.position < own.position
        AND earlier.method = own.method
)"""
_HEADS = (
    _COLUMNS
    + """
WHERE channel = %s AND (kind = ANY(%s)) = %s
AND next_at <= %s AND key <> ALL(%s) AND """
    + _FIRST_OF_LANE
    + " AND "
    + _LEADS_ITS_BUNDLE
    + " ORDER BY next_at, position LIMIT %s"
)
_OF_BUNDLE = """
WHERE key IN (SELECT key FROM escalation.held_pages WHERE bundle = %s)
ORDER BY position
"""
_MEMBERS = _COLUMNS + _OF_BUNDLE
_HELD = _COLUMNS + "WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
_TRIED = """
UPDATE escalation.outbox SET sent = true, attempts = attempts + 1 WHERE key = ANY(%s)
"""
_AGAIN = """
UPDATE escalation.outbox SET next_at = %s, attempts = %s WHERE key = %s
"""
_WAITING = """
SELECT count(*), min(requested_at) FILTER (WHERE NOT EXISTS (
    SELECT FROM escalation.held_pages AS held
    WHERE held.key = outbox.key AND held.bundle IS NULL))
FROM escalation.outbox AS outbox
"""
_CHANNELS = "SELECT DISTINCT channel FROM escalation.outbox WHERE next_at <= %s"
IS_DUE = "SELECT EXISTS (SELECT FROM escalation.outbox WHERE next_at <= %s)"
"""Tells whether the next attempt of any notification is due by an instant."""
_DUE_SINCE = (
    "SELECT next_at FROM escalation.outbox AS own WHERE next_at <= %s AND "  # noqa: S608 # our own names
    + _FIRST_OF_LANE
    + " AND "
    + _LEADS_ITS_BUNDLE
    + " ORDER BY next_at, position LIMIT 1"
)


@dataclass(frozen=True)
class Waiting:
    """A notification that was not sent yet, or that may not have been.

    `person` is empty for the desk's receiver of pages, and for channels of teams.
    """

    key: str
    position: int
    """Position of the request in the log; the text describes the state then."""
    incident: str
    policy: int
    kind: events.Kind
    channel: events.Channel
    person: str
    cause_stream: str
    cause_version: int
    requested_at: datetime
    sent: bool
    attempts: int
    method: str = ""
    """The contact method that it goes to; empty: the address in the directory. Without
    a person, the name of the channel of a team."""
    bundle: str = ""
    """The bundle in which it leaves, if it does not leave alone."""

    @property
    def team_channel(self) -> str:
        """The name of the channel of a team that it goes to, "" if it does not."""
        return "" if self.person else self.method


def follow(cursor: Cursors, entries: Sequence[Entry]) -> bool:
    """Update the outbox from the log; tell whether there is more to send.

    Rows are written in the order of their keys.
    """
    fresh: dict[str, Entry] = {}
    sent: set[str] = set()
    over: set[str] = set()
    for entry in entries:
        match entry.event:
            case events.NotificationRequested(key=key):
                fresh[key] = entry
            case events.NotificationSent(key=key):
                sent.add(key)
            case (
                events.NotificationConfirmed(key=key)
                | events.NotificationFailed(key=key)
            ):
                over.add(key)
            case _:
                pass
    rows = [_row(fresh[key]) for key in sorted(fresh.keys() - over)]
    if rows:
        cursor.executemany(_INSERT, rows)
    released_at, released = _released(cursor, entries)
    held = _held_by(entries)
    if sent or over or held or released:
        # Before the rows of those that wait: the sender locks in this order.
        cursor.execute(_LOCK, (sorted(sent | over | held | released),))
        _follow_held(cursor, entries)
        cursor.execute(_SENT, (sorted(sent - over),))
        cursor.execute(_RELEASE, (released_at, sorted(released)))
        _forget(cursor, sorted(over))
    return bool(rows or released)


def _released(
    cursor: Cursors, entries: Sequence[Entry]
) -> tuple[datetime | None, set[str]]:
    """Return which pages wait for limits that a policy may have lifted, and since when.

    They are looked at again at once: the limits of the policy in force count.
    """
    applied = [e for e in entries if isinstance(e.event, events.PolicyApplied)]
    if not applied:
        return None, set()
    keys = {row[0] for row in cursor.execute(_HELD_ALONE)}
    return applied[-1].recorded_at, keys


def _held_by(entries: Sequence[Entry]) -> set[str]:
    """Return the keys of the pages that wait, or leave together, by these events."""
    keys: set[str] = set()
    for entry in entries:
        match entry.event:
            case events.NotificationThrottled(key=key):
                keys.add(key)
            case events.NotificationBundled(members=members):
                keys.update(each.key for each in members)
            case _:
                pass
    return keys


def _follow_held(cursor: Cursors, entries: Sequence[Entry]) -> None:
    """Store which pages wait and leave together, as far as they are not done yet."""
    for entry in entries:
        match entry.event:
            case events.NotificationThrottled(key=key):
                cursor.execute(_THROTTLED, (key,))
            case events.NotificationBundled(bundle=bundle, members=members):
                keys = [each.key for each in members]
                about = {"bundle": bundle, "leader": keys[0], "keys": sorted(keys)}
                cursor.execute(_BUNDLED, about)
            case _:
                pass


def _forget(cursor: Cursors, keys: list[str]) -> None:
    cursor.execute(_OVER, (keys,))
    cursor.execute(_FORGET_HELD, (keys,))


def channels(cursor: Cursors, now: datetime) -> list[events.Channel]:
    """Return the channels by which something is to be sent by now."""
    return [row[0] for row in cursor.execute(_CHANNELS, (now,))]


def heads(
    cursor: Cursors,
    channel: events.Channel,
    now: datetime,
    under_way: Sequence[str],
    limit: int,
) -> list[Waiting]:
    """Return the notifications that may be sent now: the first of each lane.

    Staff come first: a page does not wait for mail to users.
    """
    found: list[Waiting] = []
    for staff in (True, False):
        asked = (channel, list(STAFF), staff, now, list(under_way), limit - len(found))
        found += [Waiting(*row) for row in cursor.execute(_HEADS, asked)]
    return found


def held(cursor: Cursors, keys: Sequence[str]) -> Mapping[str, Waiting]:
    """Lock and return notifications by key, without those that are done."""
    rows = (Waiting(*row) for row in cursor.execute(_HELD, (list(keys),)))
    return {each.key: each for each in rows}


def tried(cursor: Cursors, keys: Sequence[str]) -> None:
    """Store that a further attempt of each begins."""
    cursor.execute(_TRIED, (list(keys),))


def again(cursor: Cursors, key: str, at: datetime, attempts: int) -> None:
    """Store when to try again, after `attempts` failures."""
    cursor.execute(_AGAIN, (at, attempts, key))


def over(cursor: Cursors, keys: Sequence[str]) -> None:
    """Delete them: their outcomes are in the log."""
    _forget(cursor, list(keys))


def members(cursor: Cursors, bundle: str) -> list[Waiting]:
    """Return the messages of a bundle that are not done, in the order of requests."""
    return [Waiting(*row) for row in cursor.execute(_MEMBERS, (bundle,))]


def waiting(cursor: Cursors) -> tuple[int, datetime | None]:
    """Return the number of waiting notifications, and since when the oldest waits.

    A page that waits for a limit is not late.
    """
    row = cursor.execute(_WAITING).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def due_since(cursor: Cursors, now: datetime) -> datetime | None:
    """Return since when a notification has been due, None if none is due."""
    row = cursor.execute(_DUE_SINCE, (now,)).fetchone()
    return row[0] if row else None


def _row(entry: Entry) -> tuple[Any, ...]:
    event = entry.event
    assert isinstance(event, events.NotificationRequested)  # noqa: S101 # `follow` picks them
    return (
        event.key,
        entry.position,
        event.incident,
        event.policy,
        event.kind,
        event.channel,
        event.person or "",
        event.cause_stream,
        event.cause_version,
        entry.recorded_at,
        entry.recorded_at,
        event.method or event.team_channel or "",
    )
