"""Finds who signed in at the provider among the people of the desk.

Each login is accepted once, even if its answer is sent again to another process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from services.projections.identity_provider.provider import IdentityProvider
from services.projections.identity_provider.rules import (
    Claims,
    groups_in,
    named_person,
    rights_for,
)
from shared.contact_methods.fingerprints import Address, changed_among
from shared.database.cursors import Cursors
from shared.directory import entry, search
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.security.sessions import Start
from shared.settings import GroupRight
from shared.vault.vault import Vault

LOGIN_MINUTES = 10
"""How long somebody may take at the provider."""

_ONCE = """
INSERT INTO access.provider_logins (state_hash, used_at) VALUES (%s, %s)
ON CONFLICT DO NOTHING
"""
_SWEEP = "DELETE FROM access.provider_logins WHERE used_at < %s"


@dataclass(frozen=True, slots=True)
class ProviderSignIn:
    """The provider of a desk, and how its claims are read."""

    provider: IdentityProvider
    name: str
    """What the sign-in page calls it."""
    person_claim: str
    groups_claim: str
    rights: Mapping[str, Sequence[GroupRight]]


def accept_once(cursor: Cursors, state: str, now: datetime) -> bool:
    """Return whether a login was not answered before; it is from now on."""
    cursor.execute(_SWEEP, (now - timedelta(minutes=2 * LOGIN_MINUTES),))
    digest = sha256(state.encode()).digest()
    return cursor.execute(_ONCE, (digest, now)).rowcount > 0


def start_of(
    cursor: Cursors,
    vault: Vault,
    sign_in: ProviderSignIn,
    claims: Claims,
) -> Start | None:
    """Return the session of whom claims name; None if nobody here is named so."""
    person = _person(cursor, vault, sign_in, claims)
    if person is None:
        return None
    groups = groups_in(claims, sign_in.groups_claim)
    rights = rights_for(groups, sign_in.rights)
    return Start(f"person:{person}", "provider", rights=rights)


def _person(
    cursor: Cursors,
    vault: Vault,
    sign_in: ProviderSignIn,
    claims: Claims,
) -> str | None:
    named = named_person(claims, sign_in.person_claim)
    match named:
        case ("email", address):
            found = search(cursor, None, address, None)
            # An address that somebody wrote into the database names nobody.
            values = {Address(each.id, DIRECTORY_MAIL): each.email for each in found}
            changed = changed_among(vault, cursor, values)
            found = [p for p in found if Address(p.id, DIRECTORY_MAIL) not in changed]
        case ("id", id_):
            known = entry(cursor, id_)
            found = [known] if known else []
        case _:
            return None
    # The provider vouches for the address, so whom nobody confirmed is meant as well,
    # unless somebody who is confirmed has it.
    meant = [each.id for each in found if each.confirmed] or [each.id for each in found]
    return meant[0] if len(meant) == 1 else None
