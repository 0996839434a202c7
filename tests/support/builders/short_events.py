"""Events as short as they may be, for tests of the log itself."""

from uuid import UUID

import psycopg

from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import GENESIS, Link, chained
from shared.eventlog.recorder import PendingEvent

ROWS = """
SELECT notification_id, originator_id, originator_version, topic, recorded_at,
       command_id, state, chain
FROM log.events ORDER BY notification_id
"""


def incident(number: int) -> str:
    """Return the name of an incident's stream."""
    return f"incident-INC-{number:06d}"


def note(
    stream: str, version: int, words: str = "", command_id: UUID | None = None
) -> PendingEvent:
    """Return an event in stored form, of a type nobody decodes."""
    state = f'{{"words":"{words}"}}'.encode()
    kind = stream.partition("-")[0]
    return PendingEvent(stream, version, f"{kind}.scribbled", state, command_id)


def member(
    stream: str,
    *versions: int,
    command: int | None = None,
    digest: bytes = b"body",
) -> AppendUnit:
    """Return a member of a group: one event for each version."""
    command_id = None if command is None else UUID(int=command)
    events = tuple(note(stream, v, command_id=command_id) for v in versions)
    return AppendUnit(events, command_id, digest)


def broken_at(dsn: str) -> int | None:
    """Walk the chain; return the first position at which it does not hold."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(ROWS).fetchall()
    before = GENESIS
    for expected, row in enumerate(rows, start=1):
        link = Link._make(row[:7])
        before = chained(before, link)
        if link.position != expected or before != row[7]:
            return expected
    return None


def positions(dsn: str) -> list[int]:
    """Return every position in the log, in order."""
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute(ROWS).fetchall()]
