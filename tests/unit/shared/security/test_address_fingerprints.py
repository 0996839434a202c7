"""What an event with a fingerprint proves of an address, and what it does not."""

from datetime import UTC, datetime

import pytest

from shared.contact_methods.fingerprints import Address, Match, fingerprint, match
from shared.domain.contact_methods import ContactMethods, replay
from shared.domain.events.contact_method import (
    PersonAddressChanged,
    PersonContactMethodAdded,
    PersonContactMethodRemoved,
)
from shared.domain.events.person import PersonEvent, PersonRemoved
from shared.vault.vault import Vault, WrappedKey, key_of_fingerprint, keys_needed
from tests.support.key_ring import MASTER, KeyRing

AT = datetime(2026, 12, 1, tzinfo=UTC)
MAIL, METHOD = Address("nadia", "mail"), Address("nadia", "nadia.1")
VALUE = "nadia@desk.example"
GARBAGE = "a" * 16
MARK = f"f1.{GARBAGE}.{'c' * 22}"
"""Stands for the fingerprint of the value."""


def changed(name: str, mark: str | None = None, *, found: bool = False) -> PersonEvent:
    return PersonAddressChanged(
        at=AT,
        by="person:x",
        person="nadia",
        address=name,
        fingerprint=mark,
        found=found,
    )


def added(mark: str | None = None) -> PersonEvent:
    return PersonContactMethodAdded(
        at=AT,
        by="person:x",
        person="nadia",
        method="nadia.1",
        kind="mail",
        fingerprint=mark,
    )


REMOVED = PersonContactMethodRemoved(
    at=AT, by="person:x", person="nadia", method="nadia.1"
)
GONE = PersonRemoved(at=AT, by="person:x", person="nadia")


@pytest.mark.parametrize(
    ("prepared", "owner"),
    [("person:nadia", "person:fake"), ("person:paul", "person:nadia")],
)
def test_a_key_that_somebody_made_up_vouches_for_nothing(
    prepared: str, owner: str
) -> None:
    """Also if it is said to be of a person who has none."""
    keys = KeyRing()
    vault = Vault(keys, MASTER)
    vault.prepare(prepared)
    keys.keys[GARBAGE] = WrappedKey(GARBAGE, owner, b"x" * 40)
    held = replay([changed("mail", f"f1.{GARBAGE}.{'b' * 22}")])

    assert match(vault, held, MAIL, VALUE) == "changed"


@pytest.mark.parametrize(
    ("has_another", "expected"), [(False, "unknown"), (True, "changed")]
)
def test_a_destroyed_key_excuses_only_who_has_no_other(
    *, has_another: bool, expected: Match
) -> None:
    keys = KeyRing()
    held = replay([changed("mail", fingerprint(Vault(keys, MASTER), MAIL, VALUE))])
    keys.destroy("person:nadia")
    if has_another:
        Vault(keys, MASTER).prepare("person:nadia")

    assert match(Vault(keys, MASTER), held, MAIL, VALUE) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], "changed"),
        ([added()], "unknown"),
        ([changed("mail"), added()], "changed"),
        ([added(), REMOVED, added()], "unknown"),
        ([added(MARK), REMOVED], "changed"),
        ([added(MARK), REMOVED, added()], "changed"),
        ([added(MARK), GONE, added()], "changed"),
        ([added(MARK), REMOVED, added(MARK)], "recorded"),
    ],
)
def test_a_contact_method_counts_as_its_events_say(
    history: list[PersonEvent], expected: Match
) -> None:
    vault = Vault(KeyRing(), MASTER)
    mark = fingerprint(vault, METHOD, VALUE)
    real = [
        added(mark) if getattr(each, "fingerprint", None) == MARK else each
        for each in history
    ]

    assert match(vault, replay(real), METHOD, VALUE) == expected


@pytest.mark.parametrize("name", ["mail", "phone"])
def test_an_entry_is_unknown_until_it_is_recorded_also_that_it_has_none(
    name: str,
) -> None:
    vault, address = Vault(KeyRing(), MASTER), Address("nadia", name)
    absent = replay([changed(name, found=True), REMOVED])

    assert match(vault, ContactMethods(), address, VALUE) == "unknown"
    assert match(vault, absent, address, None) == "recorded"
    assert match(vault, absent, address, VALUE) == "changed"


def test_people_are_shown_changes_of_their_entry_only() -> None:
    history = [
        changed("mail", MARK),
        changed("phone"),
        changed("nadia.9", MARK),
        changed("phone", MARK, found=True),
        changed("mail"),
    ]

    assert replay(history).changes == (history[-1], history[0])


def test_an_event_needs_the_key_of_its_fingerprint() -> None:
    mark = fingerprint(Vault(KeyRing(), MASTER), MAIL, VALUE)
    stored = changed("mail", mark).model_dump_json().encode()

    assert keys_needed([stored]) == {key_of_fingerprint(mark)}
