"""Appends events about people and writes what follows from them: one transaction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.intake.attempts import append
from shared.contact_methods.store import delete_values_of
from shared.database.cursors import Cursors
from shared.domain.events.person import PersonEvent, PersonRemoved
from shared.domain.identifiers import person_stream
from shared.domain.person import PersonRights, evolve
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.security.grants.store import write
from shared.security.rights import OF_THOSE_PRESENT

_CREDENTIALS = f"""
SELECT (
    SELECT count(*) FROM access.tokens
    WHERE actor = 'person:' || %(person)s AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > %(at)s) AND {OF_THOSE_PRESENT}
), (
    SELECT count(*) FROM access.sessions
    WHERE actor = 'person:' || %(person)s AND revoked_at IS NULL
      AND expires_at > %(at)s AND {OF_THOSE_PRESENT}
      AND last_used + make_interval(secs => idle_seconds) > %(at)s
), (
    SELECT count(*) FROM access.sign_in_links
    WHERE actor = 'person:' || %(person)s AND revoked_at IS NULL AND used_at IS NULL
      AND expires_at > %(at)s AND {OF_THOSE_PRESENT}
)
"""  # noqa: S608 # our own names

_DROP_VIEWS = "SELECT desk.drop_views_of(%s)"


class Ended(NamedTuple):
    """How many credentials end with a person."""

    tokens: int = 0
    sessions: int = 0
    links: int = 0


def record(
    log: EventLog,
    cursor: Cursors,
    happened: Sequence[PersonEvent],
    rights: Mapping[str, PersonRights],
    command_id: UUID | None = None,
    digest: bytes = b"",
) -> list[int]:
    """Append the events, and return their positions; nothing is written after.

    Raises `Again` if another command about the same people was faster.
    """
    if not happened:
        return []
    versions = {person: held.version for person, held in rights.items()}
    stored = []
    for event in happened:
        versions[event.person] += 1
        stream = person_stream(event.person)
        stored.append(log.stored(stream, versions[event.person], event, command_id))
    return [*append(log, cursor, AppendUnit(tuple(stored), command_id, digest))]


def write_rights(
    cursor: Cursors,
    happened: Sequence[PersonEvent],
    before: Mapping[str, PersonRights],
) -> Ended:
    """Write what follows from these events; return what ends with the last removal.

    Reminders end a moment later, by events of their incidents.
    """
    after, ended = dict(before), Ended()
    for event in happened:
        after[event.person] = evolve(after[event.person], event)
        if isinstance(event, PersonRemoved):
            asked = {"person": event.person, "at": event.at}
            counted = cursor.execute(_CREDENTIALS, asked).fetchone()
            ended = Ended(*counted) if counted else ended
            cursor.execute(_DROP_VIEWS, (event.person,))
            delete_values_of(cursor, event.person)
    for person in dict.fromkeys(event.person for event in happened):
        write(cursor, person, before[person], after[person])
    return ended
