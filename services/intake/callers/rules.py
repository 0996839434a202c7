"""Who may be entered in the directory during a contact, and who corrects it: pure.

Nobody learns from an answer who else is in the directory, except those who may look
this person up: somebody whose rights are limited to clients gets an entry of their own
for an address that a person of another client has. Addresses may be shared.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from services.intake.directory.givers import (
    Giver,
    require_administrator,
    unknown_person,
)
from shared.directory import DirectoryEntry
from shared.domain.commands.caller import NewCaller
from shared.domain.commands.person import CorrectPerson
from shared.domain.events.event import FORGOTTEN
from shared.domain.limits import Limits, Within, only_client
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused, require_in_policy
from shared.messaging.commands import Scope
from shared.security.sender import COMMANDERS

COLUMNS = ("name", "email", "phone", "language", "zone", "client")
"""What a correction can change."""
_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Directory:
    """What the directory has that a new or corrected entry is compared with."""

    same_address: Sequence[DirectoryEntry]
    """Those who have the address of the entry."""
    clients: Collection[str]
    """The entry's client, if somebody belongs to it."""


def new_entry(
    id_: str,
    caller: NewCaller,
    scopes: Collection[Scope],
    limits: Mapping[Scope, tuple[Limits, ...]],
) -> DirectoryEntry:
    """Return the entry of a new caller; whose rights name one client enters for it."""
    return DirectoryEntry(
        id=id_,
        name=caller.name,
        email=caller.email,
        phone=caller.phone,
        language=caller.language,
        zone=None,
        client=caller.client or only_client(commanders_within(scopes, limits)),
        confirmed=False,
    )


def require_new(
    entry: DirectoryEntry, directory: Directory, within: Within, policy: Policy
) -> None:
    """Raise `Refused` if the sender can look up who has the address of a new entry."""
    _require_client(entry, directory, policy)
    seen = [each.id for each in directory.same_address if _sees(within, each)]
    if seen:
        raise Refused(
            f"the directory has this address, of {_listed(seen)}: name them in "
            "`person`, or leave `email` out if it is somebody else",
            "caller_known",
        )


def corrected(
    command: CorrectPerson,
    before: DirectoryEntry | None,
    directory: Directory,
    giver: Giver,
    *,
    has_rights: bool,
) -> DirectoryEntry:
    """Return the corrected entry; raises `Refused`.

    An address can sign somebody in. So only an administrator corrects the entry of
    somebody who is confirmed or may do something, and whose own rights are limited
    does not confirm: they cannot see whether somebody else has the address.
    """
    within = commanders_within(giver.scopes, giver.limits)
    before = _correctable(command.person, before, within)
    given = command.model_dump(include=set(COLUMNS) & command.model_fields_set)
    after = replace(before, **{**given, "name": command.name or before.name})
    confirms = within is None and not before.confirmed
    if after == before and not confirms:
        return before  # such as a repeat by the agent who has confirmed them
    if before.confirmed or has_rights:
        require_administrator(giver)
    if not _sees(within, after):
        raise Refused(
            "the person would be outside of your limits: name a client of yours",
            "role",
        )
    if after.client != before.client:
        _require_client(after, directory, giver.policy)
    if (after.email or "").lower() != (before.email or "").lower():
        _require_own_address(directory.same_address, within)
    elif confirms:
        # Else neither could sign in by it, and mail of one would be the other's.
        others = [each for each in directory.same_address if each.id != after.id]
        _require_own_address([each for each in others if each.confirmed], within)
    return replace(after, confirmed=before.confirmed or confirms)


def _correctable(
    person: str, before: DirectoryEntry | None, within: Within
) -> DirectoryEntry:
    if before is None or not _sees(within, before):
        raise unknown_person(person)
    if before.name == FORGOTTEN:
        raise Refused(f"{before.id} was forgotten: this cannot be undone", "state")
    return before


def _require_own_address(holders: Sequence[DirectoryEntry], within: Within) -> None:
    taken = [each.id for each in holders if _sees(within, each)]
    if taken:
        raise Refused(
            f"the directory has this address, of {_listed(taken)}: leave it out here, "
            "or import it if they share it",
            "address_taken",
        )


def commanders_within(
    scopes: Collection[Scope], limits: Mapping[Scope, tuple[Limits, ...]]
) -> Within:
    """Return the limits within which a sender commands; None: no limits."""
    held = [limits.get(scope) for scope in COMMANDERS if scope in scopes]
    if any(each is None for each in held):
        return None
    return tuple(limit for each in held for limit in each or ())


def _sees(within: Within, entry: DirectoryEntry) -> bool:
    """Return whether a sender may look this person up; see `Sight.sees_client`."""
    return within is None or any(
        each.clients is None or entry.client in each.clients for each in within
    )


def _require_client(
    entry: DirectoryEntry, directory: Directory, policy: Policy
) -> None:
    if entry.client is not None and entry.client not in directory.clients:
        named = {each.client for each in policy.contracts.values() if each.client}
        require_in_policy("client", entry.client, named)


def _listed(ids: Sequence[str]) -> str:
    more = ", …" if len(ids) > _SHOWN_MAX else ""
    return ", ".join(ids[:_SHOWN_MAX]) + more
