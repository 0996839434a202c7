"""A person's contact methods and rules, computed from the events of their stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from shared.domain.events.contact_method import (
    DIRECTORY_MAIL,
    ContactKind,
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

    def verified(self) -> list[ContactMethod]:
        """Return the methods that are known to reach the person."""
        return [each for each in self.methods.values() if each.is_verified]


UNVERIFIED = ContactMethods()
"""Of a person without any events: the address in the directory, not verified."""


def evolve(held: ContactMethods, event: PersonEvent) -> ContactMethods:
    """Return the methods after an event of the person's stream."""
    match event:
        case PersonContactMethodAdded(method=id_, kind=kind):
            added = ContactMethod(id_, kind)
            return replace(held, methods={**held.methods, id_: added})
        case PersonContactMethodVerified(method=id_):
            return _verified(held, id_)
        case PersonContactMethodRemoved(method=id_):
            left = {k: v for k, v in held.methods.items() if k != id_}
            if id_ == DIRECTORY_MAIL:
                left = {DIRECTORY_MAIL: _MAIL, **left}
            return replace(held, methods=left)
        case PersonNotificationRulesSet():
            return replace(held, rules=event)
        case PersonRemoved():
            return UNVERIFIED
        case PersonRoleGranted() | PersonRoleWithdrawn() | PersonInvited():
            return held
        case _:
            assert_never(event)


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
