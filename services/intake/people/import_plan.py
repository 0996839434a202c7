"""What an import of people changes: in the directory and in their roles. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from typing import Literal

from services.intake.directory.file import RIGHTS, names_in
from services.intake.directory.givers import Giver
from services.intake.directory.store import Columns, DirectoryChange
from services.intake.people.rules import removal, require_names, role_event, withdrawal
from shared.domain.commands.person import (
    REMOVED_SHARE_MAX,
    PersonChange,
    RoleChange,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonRoleGranted,
    PersonRoleWithdrawn,
    Role,
)
from shared.domain.limits import Limits, limits_from, names_of
from shared.domain.person import NOTHING, HeldGrant, PersonRights, evolve
from shared.domain.refusal import Refused

Change = Literal["added", "changed", "unchanged", "removed"]


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """What becomes of a person: the columns that change, and the events."""

    person: str
    change: Change
    columns: tuple[str, ...]
    events: tuple[PersonEvent, ...]
    held: Mapping[str, HeldGrant]
    unreadable: bool = False
    """The file names roles, but nobody knows which ones the person has."""

    def view(self) -> PersonChange:
        """Return what the sender of the import is shown."""
        given = (e for e in self.events if isinstance(e, PersonRoleGranted))
        gone = (e for e in self.events if isinstance(e, PersonRoleWithdrawn))
        ended = [self.held[event.grant] for event in gone]
        if self.change == "removed":
            ended = list(self.held.values())
        return PersonChange(
            person=self.person,
            change=self.change,
            columns=self.columns,
            given=tuple(
                RoleChange(
                    role=each.role,
                    clients=each.clients,
                    services=each.services,
                    teams=each.teams,
                )
                for each in given
            ),
            withdrawn=tuple(_shown(each) for each in ended),
        )


@dataclass(frozen=True, slots=True)
class WishedPerson:
    """A person as they should be: the columns given, and their roles if any are."""

    columns: Columns
    roles: Sequence[tuple[Role, Limits]] | None = None
    """None: their roles stay as they are."""

    @property
    def id(self) -> str:
        """Their id."""
        return str(self.columns["id"])


def wished(rows: Sequence[Columns]) -> list[WishedPerson]:
    """Return the people of a file; raises `Refused`."""
    return [WishedPerson(row, wanted_roles(row)) for row in rows]


def plan(
    people: Sequence[WishedPerson],
    changes: Sequence[DirectoryChange],
    rights: Mapping[str, PersonRights],
    giver: Giver,
) -> list[PersonPlan]:
    """Return what becomes of each of these people; raises `Refused`."""
    wanted = [each.roles for each in people]
    require_names(
        (limits for roles in wanted for _, limits in roles or ()), giver.policy
    )
    return [
        _of_person(change, roles, rights.get(change.person.id, NOTHING), giver)
        for change, roles in zip(changes, wanted, strict=True)
    ]


def removals(
    missing: Collection[str],
    population: int,
    rights: Mapping[str, PersonRights],
    giver: Giver,
    listed_in: str = "the file",
) -> list[PersonPlan]:
    """Return the removal of people who are not listed any more; raises `Refused`."""
    if giver.person in missing:
        raise Refused(
            f"you ({giver.person}) are not in {listed_in}: nobody removes themselves",
            "state",
        )
    if len(missing) * 100 > population * REMOVED_SHARE_MAX:
        raise Refused(
            f"{len(missing)} of {population} people are not in {listed_in}, more than "
            f"{REMOVED_SHARE_MAX} %, and nothing was changed: is it complete? Remove "
            "them one by one if they left",
            "too_many_missing",
        )
    return [
        PersonPlan(
            person,
            "removed",
            (),
            (removal(person, giver, imported=True),),
            rights.get(person, NOTHING).grants,
        )
        for person in sorted(missing)
    ]


def wanted_roles(row: Columns) -> Sequence[tuple[Role, Limits]] | None:
    """Return the roles that a row gives; None if the file has no column for them."""
    if "role" not in row:
        return None
    named = (row.get("clients"), row.get("services"), row.get("teams"))
    limits = limits_from(*map(names_in, named))
    roles: Sequence[Role] = names_in(row["role"]) or ()  # type: ignore[assignment] # checked
    if "client" in roles and limits.clients is None:
        own = row.get("client")
        if not own:
            raise Refused(
                f"{row['id']}: the role `client` is for people of a client: name it in "
                "the column `client`",
                "invalid",
            )
        limits = replace(limits, clients=frozenset([own]))
    return [(role, limits) for role in roles]


def _of_person(
    change: DirectoryChange,
    roles: Sequence[tuple[Role, Limits]] | None,
    rights: PersonRights,
    giver: Giver,
) -> PersonPlan:
    person = change.person.id
    unreadable = roles is not None and rights.unreadable is not None
    happened: tuple[PersonEvent, ...] = ()
    if roles is not None and not unreadable:
        happened = _role_events(person, roles, rights, giver)
    if happened and person == giver.person:
        raise Refused(
            f"the file changes your own rights ({person}): write those that you have",
            "role",
        )
    is_changed = bool(change.columns or happened)
    kind: Change = (
        "added" if change.is_new else "changed" if is_changed else "unchanged"
    )
    columns = () if change.is_new else change.columns
    return PersonPlan(person, kind, columns, happened, rights.grants, unreadable)


def _role_events(
    person: str,
    wanted: Sequence[tuple[Role, Limits]],
    rights: PersonRights,
    giver: Giver,
) -> tuple[PersonEvent, ...]:
    """Return the roles to withdraw, then those to give; what is as it should be stays.

    Roles that people gave by hand are left alone.
    """
    held = rights.in_force(giver.at)
    there = {(each.role, each.limits) for each in held}
    happened: list[PersonEvent] = [
        withdrawal(person, each, giver)
        for each in held
        if each.imported and (each.role, each.limits) not in wanted
    ]
    for event in happened:
        rights = evolve(rights, event)
    for role, limits in wanted:
        if (role, limits) not in there:
            event = role_event(person, rights, giver, role, limits)
            rights = evolve(rights, event)
            happened.append(event)
    return tuple(happened)


def digest_of_plans(plans: Sequence[PersonPlan]) -> str:
    """Return a digest of all that an import changes, the same for the same changes."""
    told = sorted(
        each.view().model_dump_json() for each in plans if each.change != "unchanged"
    )
    return sha256("\n".join(told).encode()).hexdigest()


def events_of(plans: Sequence[PersonPlan]) -> Sequence[PersonEvent]:
    """Return all events of an import, person by person."""
    return tuple(chain.from_iterable(each.events for each in plans))


def _shown(held: HeldGrant) -> RoleChange:
    return RoleChange.model_validate(
        {"role": held.role, **names_of(held.limits)._asdict()}
    )


def has_rights(rows: Sequence[Columns]) -> bool:
    """Return whether a file says what people may do."""
    return any(name in row for row in rows for name in RIGHTS)
