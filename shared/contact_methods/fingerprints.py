"""Fingerprints of addresses: what the log has of an address, to compare the directory.

A fingerprint is keyed with the person's key in the vault. Who can write to the database
can change an address, but cannot make the fingerprint that would have to be recorded.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal, NamedTuple

from shared.contact_methods.history import contact_methods_of
from shared.contact_methods.store import ContactValue, values_of
from shared.database.cursors import Cursors
from shared.domain.contact_methods import OF_THE_ENTRY, ContactMethods
from shared.domain.events.contact_method import (
    DIRECTORY_PHONE,
    Fingerprint,
)
from shared.vault.vault import Vault, VaultError, key_of_fingerprint

Match = Literal["recorded", "changed", "unknown"]
"""What the log says of an address that the directory has.

`unknown`: it was there before there were fingerprints, or nobody can compare it, since
the key was destroyed or is not at hand.
"""
_PHONES = """
SELECT id, phone FROM directory.people WHERE id = ANY(%s) AND phone IS NOT NULL
"""


class Address(NamedTuple):
    """An address of a person: `mail`, `phone` or the id of a contact method."""

    person: str
    name: str


def fingerprint(vault: Vault, address: Address, value: str) -> Fingerprint:
    """Return what the log has of an address; load the person's key before."""
    owner, place = _bound(address)
    return vault.fingerprint(owner, value.encode(), place)


def match(
    vault: Vault, held: ContactMethods, address: Address, value: str | None
) -> Match:
    """Compare an address, None if there is none, with the person's events.

    A contact method of which no event says that it was added is never right.
    """
    if address.name not in (*OF_THE_ENTRY, *held.methods):
        return "changed"
    if address.name not in held.fingerprints:
        return "unknown"
    recorded = held.fingerprints[address.name]
    if recorded is None or value is None:
        return "recorded" if recorded == value else "changed"
    owner, place = _bound(address)
    match vault.recognizes(owner, recorded, value.encode(), place):
        case None:
            return "unknown"
        case True:
            return "recorded"
        case False:
            return "changed"


def checked_values(
    vault: Vault, cursor: Cursors, people: Sequence[str]
) -> Mapping[str, Mapping[str, ContactValue]]:
    """Return the contact methods of people as `values_of`, marked where changed.

    Values and events are read one after the other, so what differs is read again:
    somebody may have changed it in between.
    """
    found = dict(values_of(cursor, people))
    again = _people(changed_among(vault, cursor, _by_address(found)))
    if not again:
        return found
    found |= values_of(cursor, again)
    changed = changed_among(vault, cursor, _by_address(found, again))
    return found | {
        person: {
            name: replace(each, is_changed=Address(person, name) in changed)
            for name, each in found[person].items()
        }
        for person in again
    }


def changed_among(
    vault: Vault, cursor: Cursors, values: Mapping[Address, str | None]
) -> frozenset[Address]:
    """Return which of these values, as they were read, the log does not vouch for.

    Nothing may be sent to them. If nobody can say, nothing is held back.
    """
    if not values:
        return frozenset()
    held = held_of(vault, cursor, sorted({each.person for each in values}))
    return frozenset(
        address
        for address, value in values.items()
        if match(vault, held[address.person], address, value) == "changed"
    )


def held_of(
    vault: Vault, cursor: Cursors, people: Sequence[str]
) -> Mapping[str, ContactMethods]:
    """Return what the log has of people; loads the keys to compare it, in one query."""
    held = contact_methods_of(cursor, people)
    marks = {mark for each in held.values() for mark in each.fingerprints.values()}
    with suppress(VaultError):  # of another master key: then nobody can say
        vault.learn(key_of_fingerprint(mark) for mark in marks if mark)
    return held


def _people(addresses: frozenset[Address]) -> list[str]:
    return sorted({each.person for each in addresses})


def _by_address(
    found: Mapping[str, Mapping[str, ContactValue]], people: Sequence[str] | None = None
) -> dict[Address, str | None]:
    return {
        Address(person, name): each.value
        for person in (found if people is None else people)
        for name, each in found[person].items()
    }


def addresses_of(cursor: Cursors, people: Sequence[str]) -> dict[Address, str | None]:
    """Return the addresses that the directory has of people."""
    numbers = cursor.execute(_PHONES, (list(people),)).fetchall()
    phones = {Address(person, DIRECTORY_PHONE): phone for person, phone in numbers}
    return _by_address(values_of(cursor, people)) | phones


def _bound(address: Address) -> tuple[str, str]:
    """Return the owner of the key, and what a fingerprint is bound to."""
    person, name = address
    return f"person:{person}", f"address|{person}|{name}"
