"""What a person may do, computed from the events of their stream; no rules.

Intake decides from it and writes the table of rights by it. The audit compares the
table with it, and `permanence restored` writes the table again from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from shared.domain.events.contact_method import (
    PersonAddressChanged,
    PersonContactMethodAdded,
    PersonContactMethodRemoved,
    PersonContactMethodVerified,
    PersonNotificationRulesSet,
)
from shared.domain.events.event import Actor
from shared.domain.events.person import (
    PersonEvent,
    PersonInvited,
    PersonRemoved,
    PersonRoleGranted,
    PersonRoleWithdrawn,
    Role,
)
from shared.domain.limits import Limits, limits_from


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A role that was given; it ends at `until` or when it is withdrawn."""

    grant: str
    role: Role
    limits: Limits
    until: datetime | None
    imported: bool
    given_by: Actor
    given_at: datetime
    withdrawn_at: datetime | None = None

    def is_in_force(self, at: datetime) -> bool:
        """Return whether it has not ended yet."""
        return self.until is None or self.until > at


@dataclass(frozen=True, slots=True)
class Removal:
    """A person was removed; `returned_at` once a role was granted again."""

    at: datetime
    by: Actor
    returned_at: datetime | None = None
    imported: bool = False
    """Whether an import removed them, since they were not listed any more."""
    version: int = 1
    """The version of the event in the stream of the person."""


@dataclass(frozen=True, slots=True)
class PersonRights:
    """The roles of a person by grant, and whether they were removed."""

    version: int
    grants: Mapping[str, HeldGrant]
    """The roles that were not withdrawn; they may have ended."""
    ended: Mapping[str, HeldGrant] = field(default_factory=dict)
    """The roles that were withdrawn."""
    removal: Removal | None = None
    """The newest removal."""
    unreadable: str | None = None
    """Which event of the stream cannot be read; the others do not say everything."""

    @property
    def removed(self) -> bool:
        """Whether the person was removed and did not return."""
        return self.removal is not None and self.removal.returned_at is None

    def in_force(self, at: datetime) -> list[HeldGrant]:
        """Return the roles at an instant."""
        return [each for each in self.grants.values() if each.is_in_force(at)]

    def all_grants(self) -> Mapping[str, HeldGrant]:
        """Return every role that was ever given."""
        return {**self.ended, **self.grants}


NOTHING = PersonRights(0, {})


def evolve(rights: PersonRights, event: PersonEvent) -> PersonRights:
    """Return the rights after an event of the person's stream."""
    after = replace(rights, version=rights.version + 1)
    match event:
        case PersonRoleGranted():
            held = _held(event)
            return replace(
                after,
                grants={**rights.grants, held.grant: held},
                removal=_returned(rights.removal, event.at),
            )
        case PersonRoleWithdrawn(grant=grant):
            return _withdrawn(after, [grant], event.at)
        case PersonInvited():
            return after  # a link gives no right
        case (
            PersonContactMethodAdded()
            | PersonContactMethodVerified()
            | PersonContactMethodRemoved()
            | PersonNotificationRulesSet()
            | PersonAddressChanged()
        ):
            return after  # these say how to reach them
        case PersonRemoved():
            gone = _withdrawn(after, rights.grants, event.at)
            removal = Removal(
                event.at, event.by, imported=event.imported, version=after.version
            )
            return replace(gone, removal=removal)
        case _:
            assert_never(event)


def replay(history: Iterable[PersonEvent]) -> PersonRights:
    """Return the rights after the events of a person's stream."""
    rights = NOTHING
    for event in history:
        rights = evolve(rights, event)
    return rights


def _held(event: PersonRoleGranted) -> HeldGrant:
    return HeldGrant(
        grant=event.grant,
        role=event.role,
        limits=limits_from(event.clients, event.services, event.teams),
        until=event.until,
        imported=event.imported,
        given_by=event.by,
        given_at=event.at,
    )


def _returned(removal: Removal | None, at: datetime) -> Removal | None:
    if removal is None or removal.returned_at is not None:
        return removal
    return replace(removal, returned_at=at)


def _withdrawn(
    rights: PersonRights, grants: Iterable[str], at: datetime
) -> PersonRights:
    over = {
        grant: replace(rights.grants[grant], withdrawn_at=at)
        for grant in grants
        if grant in rights.grants
    }
    left = {k: v for k, v in rights.grants.items() if k not in over}
    return replace(rights, grants=left, ended={**rights.ended, **over})
