"""Whether people can be reached: as the directory has it.

An address that was changed without a record reaches nobody, as nothing is sent there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.database.cursors import Cursors
from shared.vault.vault import Vault

Readiness = Literal["ready", "unverified", "unreachable"]
"""`ready`: a verified method reaches the person; `unverified`: pages go to an address
that nobody has proved, with the least text; `unreachable`: nothing is known."""


def readiness_of(
    vault: Vault, cursor: Cursors, people: Sequence[str]
) -> Mapping[str, Readiness]:
    """Return whether each of these people can be reached."""
    return {
        person: state(list(values.values()))
        for person, values in checked_values(vault, cursor, people).items()
    }


def unverified_of(
    vault: Vault, cursor: Cursors, people: Iterable[str]
) -> frozenset[str]:
    """Return who of these people has no verified contact method."""
    found = readiness_of(vault, cursor, sorted(people))
    return frozenset(person for person, each in found.items() if each != "ready")


def state(values: Sequence[ContactValue]) -> Readiness:
    """Return whether somebody with these methods can be reached."""
    usable = [each for each in values if not each.is_changed]
    if any(each.verified_at is not None for each in usable):
        return "ready"
    if any(each.kind == "mail" for each in usable):
        return "unverified"
    return "unreachable"
