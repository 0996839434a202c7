"""Compares the addresses in the directory with the log, and records what was there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.intake.attempts import decided
from services.intake.directory.address_facts import (
    Author,
    Changed,
    address_events,
    append_addresses,
)
from shared.contact_methods.fingerprints import Address, addresses_of, held_of, match
from shared.database.cursors import Cursors
from shared.domain.contact_methods import OF_THE_ENTRY, ContactMethods
from shared.domain.identifiers import person_stream
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.vault.vault import Vault

PEOPLE_AT_ONCE = 50
"""With all their contact methods fewer than the events of one append."""
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_IDS = "SELECT id FROM directory.people WHERE id > %s ORDER BY id LIMIT %s"
_NAMES = {"mail": "the mail address", "phone": "the telephone number"}


@dataclass(frozen=True, slots=True)
class AddressDifference:
    """An address that was changed in the directory without an event."""

    person: str
    address: str
    """`mail`, `phone` or the id of a contact method."""
    sentence: str


@dataclass(frozen=True, slots=True)
class AddressesCompared:
    """How many addresses were compared, and what differs."""

    people: int
    addresses: int
    unknown: int
    """Addresses that were not recorded, or whose key was destroyed."""
    differences: list[AddressDifference]


class _Held(NamedTuple):
    address: Address
    value: str | None
    recorded: ContactMethods


def compare_addresses(log: EventLog) -> AddressesCompared:
    """Compare the directory with the log, as they are at one instant. Blocks."""
    people = addresses = unknown = 0
    found: list[AddressDifference] = []
    with log.transaction() as cursor:
        cursor.execute(_SNAPSHOT)
        for ids in _pages(cursor):
            people += len(ids)
            for address, value, recorded in _held(log.vault, cursor, ids):
                addresses += value is not None
                match match(log.vault, recorded, address, value):
                    case "changed":
                        found.append(_difference(address, value))
                    case "unknown":
                        unknown += value is not None
                    case "recorded":
                        pass
    return AddressesCompared(people, addresses, unknown, found)


def record_found(log: EventLog, author: Author) -> int:
    """Record the addresses of which the log has nothing; return how many. Blocks.

    Also that an entry has none, which is not counted. What differs from the log is left
    as it is: also a contact method that nobody added. Each page of people is a
    transaction.
    """
    total, after = 0, ""
    while True:

        def attempt(cursor: Cursors, after: str = after) -> tuple[Sequence[str], int]:
            ids = _page(cursor, after)
            return ids, _record_page(log, cursor, ids, author)

        ids, recorded = decided(log, attempt)
        if not ids:
            return total
        total, after = total + recorded, ids[-1]


def _record_page(
    log: EventLog, cursor: Cursors, ids: Sequence[str], author: Author
) -> int:
    # Before the addresses: who changes one in between is faster.
    before = versions(cursor, [person_stream(person) for person in ids])
    unrecorded: list[Changed] = [
        (address, value)
        for address, value, recorded in _held(log.vault, cursor, ids)
        if address.name not in recorded.fingerprints
        and (address.name in OF_THE_ENTRY or address.name in recorded.methods)
    ]
    events = address_events(log.vault, unrecorded, author, found=True)
    append_addresses(log, cursor, events, before)
    return sum(value is not None for _, value in unrecorded)


def _held(vault: Vault, cursor: Cursors, ids: Sequence[str]) -> Iterator[_Held]:
    """Yield the addresses of people, also those that their entry has not any more."""
    values = addresses_of(cursor, ids)
    recorded = held_of(vault, cursor, ids)
    of_entries = (Address(person, name) for person in ids for name in OF_THE_ENTRY)
    for address in sorted({*values, *of_entries}):
        yield _Held(address, values.get(address), recorded[address.person])


def _pages(cursor: Cursors) -> Iterator[Sequence[str]]:
    after = ""
    while ids := _page(cursor, after):
        yield ids
        after = ids[-1]


def _page(cursor: Cursors, after: str) -> Sequence[str]:
    rows = cursor.execute(_IDS, (after, PEOPLE_AT_ONCE)).fetchall()
    return [person for (person,) in rows]


def _difference(address: Address, value: str | None) -> AddressDifference:
    person, name = address
    what = _NAMES.get(name, f"the contact method {name}")
    done = "was changed" if value is not None else "was deleted"
    sentence = f"{person}: {what} {done} in the directory, and no event says so"
    return AddressDifference(person, name, sentence)
