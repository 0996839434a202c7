"""A person's contact methods and rules, computed from the events of their stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from shared.domain.events.contact_method import (
    DIRECTORY_MAIL,
    DIRECTORY_PHONE,
    ContactKind,
    PersonAddressChanged,
    PersonContactMethodAdded,
    PersonContactMethodRemoved,
    PersonContactMethodVerified,
    PersonNotificationRulesSet,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonInvited,
    PersonRemoved,
    PersonRoleGranted,
    PersonRoleWithdrawn,
)


@dataclass(frozen=True, slots=True)
class ContactMethod:
    """A way to reach a person. Its value is in the directory."""

    id: str
    kind: ContactKind
    is_verified: bool = False


_MAIL = ContactMethod(DIRECTORY_MAIL, "mail")


OF_THE_ENTRY = (DIRECTORY_MAIL, DIRECTORY_PHONE)
"""The addresses in the directory entry of a person."""
CHANGES_KEPT = 10
"""How many changes of addresses their owner is shown."""


@dataclass(frozen=True, slots=True)
class ContactMethods:
    """The methods of a person by id, in the order in which they were added.

    The address in the directory is always among them; whether there is one, and whether
    it is still the one that was verified, only the directory knows.
    """

    methods: Mapping[str, ContactMethod] = field(
        default_factory=lambda: {DIRECTORY_MAIL: _MAIL}
    )
    rules: PersonNotificationRulesSet | None = None
    fingerprints: Mapping[str, str | None] = field(default_factory=dict)
    """Of the values, by method, and by `phone`; None: no value was recorded.

    What is missing was added before there were fingerprints.
    """
    changes: tuple[PersonAddressChanged, ...] = ()
    """The newest changes of the address and number in the directory, newest first."""

    def verified(self) -> list[ContactMethod]:
        """Return the methods that are known to reach the person."""
        return [each for each in self.methods.values() if each.is_verified]


UNVERIFIED = ContactMethods()
"""Of a person without any events: the address in the directory, not verified."""


def evolve(  # noqa: PLR0911 # one case for each event
    held: ContactMethods, event: PersonEvent
) -> ContactMethods:
    """Return the methods after an event of the person's stream."""
    match event:
        case PersonContactMethodAdded(method=id_, kind=kind, fingerprint=of_value):
            added = ContactMethod(id_, kind)
            # Of somebody with fingerprints, a value without one was not recorded.
            marked = {id_: of_value} if of_value or held.fingerprints else {}
            return replace(
                held,
                methods={**held.methods, id_: added},
                fingerprints={**held.fingerprints, **marked},
            )
        case PersonContactMethodVerified(method=id_):
            return _verified(held, id_)
        case PersonContactMethodRemoved(method=id_):
            left = {k: v for k, v in held.methods.items() if k != id_}
            if id_ in OF_THE_ENTRY:  # the address stays in the directory
                return replace(held, methods={DIRECTORY_MAIL: _MAIL, **left})
            # It stays without a value, so that the person stays one with fingerprints.
            gone = {id_: None} if held.fingerprints else {}
            marked = {**held.fingerprints, **gone}
            return replace(held, methods=left, fingerprints=marked)
        case PersonNotificationRulesSet():
            return replace(held, rules=event)
        case PersonAddressChanged(address=id_, fingerprint=of_value, found=found):
            is_new = of_value is None and id_ not in held.fingerprints
            is_shown = id_ in OF_THE_ENTRY and not found and not is_new
            changes = (event, *held.changes) if is_shown else held.changes
            return replace(
                held,
                fingerprints={**held.fingerprints, id_: of_value},
                changes=changes[:CHANGES_KEPT],
            )
        case PersonRemoved():
            stays = _after_removal(held)
            return replace(UNVERIFIED, fingerprints=stays, changes=held.changes)
        case PersonRoleGranted() | PersonRoleWithdrawn() | PersonInvited():
            return held
        case _:
            assert_never(event)


def _after_removal(held: ContactMethods) -> Mapping[str, str | None]:
    """Return the fingerprints of somebody removed: only their entry has addresses."""
    marks = held.fingerprints.items()
    return {name: mark if name in OF_THE_ENTRY else None for name, mark in marks}


def replay(history: Iterable[PersonEvent]) -> ContactMethods:
    """Return the methods after the events of a person's stream."""
    held = UNVERIFIED
    for event in history:
        held = evolve(held, event)
    return held


def _verified(held: ContactMethods, id_: str) -> ContactMethods:
    method = held.methods.get(id_)
    if method is None:
        return held
    proved = replace(method, is_verified=True)
    return replace(held, methods={**held.methods, id_: proved})
