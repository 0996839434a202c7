"""The directory entries that contacts add and people correct: SQL.

Everybody who adds an entry with an address takes its lock first, so that two contacts
at the same time do not enter one person twice.
"""

from datetime import datetime

import structlog
from psycopg.rows import class_row

from services.intake.callers.rules import COLUMNS, Directory, corrected
from services.intake.directory.address_facts import COLUMNS as ADDRESSES
from services.intake.directory.address_facts import (
    Author,
    Changed,
    address_events,
    address_unit,
    append_addresses,
    changed_between,
)
from services.intake.directory.givers import Giver, require_administrator
from services.intake.directory.mailed_links import end_mailed_links
from shared.contact_methods.fingerprints import Address, changed_among
from shared.database.cursors import Cursors
from shared.directory import DirectoryEntry
from shared.domain.commands.person import CorrectPerson, PersonAnswer
from shared.domain.events.event import Actor
from shared.domain.person import PersonRights
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog

SHARED_MAX = 100
"""People who may share an address."""
ADDRESS_LOCK = "SELECT pg_advisory_xact_lock(20250630, hashtext(lower(%s)))"
"""Taken by all that add somebody with an address."""
_SELECT = """
SELECT id, name, email, phone, language, zone, client, confirmed FROM directory.people
"""
_SAME_ADDRESS = f"{_SELECT} WHERE lower(email) = lower(%s) ORDER BY id LIMIT %s"
_LOCKED = f"{_SELECT} WHERE id = %s FOR UPDATE"
_ADDRESS = "SELECT email FROM directory.people WHERE id = %s"
_CLIENT = "SELECT EXISTS (SELECT FROM directory.people WHERE client = %s)"
_ADD = """
INSERT INTO directory.people
  (id, name, email, phone, language, client, updated_at, confirmed)
VALUES (%s, %s, %s, %s, %s, %s, %s, false)
"""
_CORRECT = """
UPDATE directory.people SET
  name = %s, email = %s, phone = %s, language = %s, zone = %s, client = %s,
  updated_at = %s, confirmed = %s
WHERE id = %s
"""
_log = structlog.get_logger(__name__)


def directory_for(cursor: Cursors, email: str | None, client: str | None) -> Directory:
    """Return what an entry with this address and client is compared with."""
    holders: list[DirectoryEntry] = []
    if email:
        cursor.execute(ADDRESS_LOCK, (email,))
        with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
            holders = rows.execute(_SAME_ADDRESS, (email, SHARED_MAX)).fetchall()
    known = client and cursor.execute(_CLIENT, (client,)).fetchone() == (True,)
    return Directory(holders, (client,) if client and known else ())


def entry_addresses(
    log: EventLog, cursor: Cursors, entry: DirectoryEntry, by: Actor, now: datetime
) -> AppendUnit:
    """Return the events of the addresses of a new entry."""
    changed = changed_between(None, entry)
    events = address_events(log.vault, changed, Author(by, now))
    return address_unit(log, cursor, events)


def add(cursor: Cursors, entry: DirectoryEntry, now: datetime) -> None:
    """Add the unconfirmed entry of a new caller."""
    given = (entry.id, entry.name, entry.email, entry.phone)
    cursor.execute(_ADD, (*given, entry.language, entry.client, now))


def correct(
    log: EventLog,
    cursor: Cursors,
    command: CorrectPerson,
    rights: PersonRights,
    giver: Giver,
) -> PersonAnswer:
    """Correct the entry of a person; raises `Refused`, and `Again`.

    Links that were mailed to an address that is no longer theirs end.
    """
    address = command.email
    if "email" not in command.model_fields_set:  # confirmed with the one they have
        held = cursor.execute(_ADDRESS, (command.person,)).fetchone()
        address = held[0] if held else None
    directory = directory_for(cursor, address, command.client)
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        before = rows.execute(_LOCKED, (command.person,)).fetchone()
    has_rights = bool(rights.in_force(giver.at)) or rights.unreadable is not None
    after = corrected(command, before, directory, giver, has_rights=has_rights)
    accepted = _accepted(log, cursor, command, before, after)
    if accepted and (after.confirmed or has_rights):
        require_administrator(giver)  # before anything is written
    if before is not None and after != before:
        values = [getattr(after, name) for name in COLUMNS]
        cursor.execute(_CORRECT, (*values, giver.at, after.confirmed, after.id))
        if after.email != before.email:
            end_mailed_links(cursor, after.id, giver.at)
        changed = [n for n in COLUMNS if getattr(after, n) != getattr(before, n)]
        _log.info(
            "person.corrected", by=giver.by, person=command.person, columns=changed
        )
    addresses = [*changed_between(before, after), *accepted]
    happened = address_events(log.vault, addresses, Author(giver.by, giver.at))
    positions = append_addresses(log, cursor, happened)
    return PersonAnswer(
        outcome="recorded" if after != before or positions else "already",
        person=command.person,
        version=rights.version + len(positions),
        positions=positions,
        grants=[],
    )


def _accepted(
    log: EventLog,
    cursor: Cursors,
    command: CorrectPerson,
    before: DirectoryEntry | None,
    after: DirectoryEntry,
) -> list[Changed]:
    """Return addresses that are given as they are, but are not what the log says.

    Who gives them vouches for them.
    """
    same = {
        Address(after.id, name): getattr(after, column)
        for column, name in ADDRESSES.items()
        if column in command.model_fields_set
        and getattr(after, column) == getattr(before, column, None)
    }
    differing = changed_among(log.vault, cursor, same)
    return [(address, same[address]) for address in sorted(differing)]
