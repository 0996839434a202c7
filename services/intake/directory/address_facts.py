"""Records changes of addresses: an event with a fingerprint, never the address."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.intake.attempts import append, decided
from services.intake.directory.store import (
    Columns,
    DirectoryChange,
    Imported,
    counted,
    directory_changes,
    write_changed,
)
from shared.contact_methods.fingerprints import (
    Address,
    changed_among,
    fingerprint,
)
from shared.database.cursors import Cursors
from shared.directory import DirectoryEntry
from shared.domain.events.contact_method import (
    DIRECTORY_MAIL,
    DIRECTORY_PHONE,
    ContactMethodEvent,
    PersonAddressChanged,
)
from shared.domain.events.event import Actor
from shared.domain.identifiers import person_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.vault.vault import Vault

COLUMNS = {"email": DIRECTORY_MAIL, "phone": DIRECTORY_PHONE}
"""The columns of the directory that are addresses, and what events call them."""
PEOPLE_AT_ONCE = 400
"""People whose addresses are written in one transaction: two events each at most."""

Changed = tuple[Address, str | None]
"""An address, and its value after the change; None: there is none any more."""
Write = Callable[[Cursors, Sequence[DirectoryChange], datetime], object]


class Author(NamedTuple):
    """Who changes addresses, and when."""

    by: Actor
    at: datetime


def changed_by_import(
    vault: Vault, cursor: Cursors, changes: Sequence[DirectoryChange]
) -> list[Changed]:
    """Return the addresses that an import changes, in the order of people.

    Those of somebody new are all recorded, also that there is none: else one that is
    written later would be unknown. So is one that is given as it is but differs from
    the log: who may import vouches for it.
    """
    same = {
        Address(each.person.id, name): getattr(each.person, column)
        for each in changes
        for column, name in COLUMNS.items()
        if column in each.given and column not in each.columns and not each.is_new
    }
    differing = changed_among(vault, cursor, same)
    changed: list[Changed] = []
    for each in changes:
        for column, name in COLUMNS.items():
            address = Address(each.person.id, name)
            if each.is_new or column in each.columns or address in differing:
                changed.append((address, getattr(each.person, column)))
    return changed


def changed_between(
    before: DirectoryEntry | None, after: DirectoryEntry
) -> list[Changed]:
    """Return the addresses in which an entry differs from `before`.

    Of a new entry all, also that there is none.
    """
    return [
        (Address(after.id, name), getattr(after, column))
        for column, name in COLUMNS.items()
        if before is None or getattr(after, column) != getattr(before, column)
    ]


def address_events(
    vault: Vault, changed: Sequence[Changed], author: Author, *, found: bool = False
) -> list[PersonAddressChanged]:
    """Return the events of changes; makes the keys of people who have none yet.

    `found`: what is recorded was not changed.
    """
    vault.prepare_all(f"person:{of.person}" for of, value in changed if value)
    return [
        PersonAddressChanged(
            at=author.at,
            by=author.by,
            person=of.person,
            address=of.name,
            fingerprint=fingerprint(vault, of, value) if value else None,
            found=found,
        )
        for of, value in changed
    ]


def address_unit(
    log: EventLog,
    cursor: Cursors,
    events: Sequence[ContactMethodEvent],
    before: Mapping[str, int] | None = None,
) -> AppendUnit:
    """Return these events as they are appended, in one append with what goes with them.

    `before` are the versions of streams on which the events depend; without it, the
    entries of these people are locked.
    """
    streams = sorted({person_stream(each.person) for each in events})
    held = dict(before or (versions(cursor, streams) if streams else {}))
    stored = []
    for event in events:
        stream = person_stream(event.person)
        held[stream] += 1
        stored.append(log.stored(stream, held[stream], event))
    return AppendUnit(tuple(stored))


def append_addresses(
    log: EventLog,
    cursor: Cursors,
    events: Sequence[ContactMethodEvent],
    before: Mapping[str, int] | None = None,
) -> list[int]:
    """Append these events, as the last thing in a transaction, and nothing else.

    Returns positions; raises `Again` if another command about the same people was
    faster.
    """
    if not events:
        return []
    return [*append(log, cursor, address_unit(log, cursor, events, before))]


def import_recorded(
    log: EventLog, rows: Sequence[Columns], author: Author, write: Write = write_changed
) -> tuple[Imported, list[int]]:
    """Write validated `rows`, and append the addresses that this changes.

    At most `PEOPLE_AT_ONCE` people are a transaction, which `write` writes: nobody may
    keep others from appending for long. Returns also the positions.
    """
    total, positions = Imported(0, 0, 0), list[int]()
    for start in range(0, len(rows), PEOPLE_AT_ONCE):
        part = rows[start : start + PEOPLE_AT_ONCE]

        def attempt(
            cursor: Cursors, part: Sequence[Columns] = part
        ) -> tuple[Imported, list[int]]:
            changes = directory_changes(cursor, part, author.at)
            write(cursor, changes, author.at)
            changed = changed_by_import(log.vault, cursor, changes)
            events = address_events(log.vault, changed, author)
            return counted(changes), append_addresses(log, cursor, events)

        done, appended = decided(log, attempt)
        total, positions = total.plus(done), [*positions, *appended]
    return total, positions
