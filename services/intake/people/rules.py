"""Who may give which role to whom, and withdraw it. Pure.

Nobody gives a role to themselves, and nobody gives more than they have: an
administrator any role within their own limits, a manager the role of an agent within
their own teams.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.intake.directory.givers import (
    Giver,
    require_administrator,
    unknown_person,
)
from shared.domain.commands.person import (
    GrantRole,
    InvitePerson,
    MovePerson,
    RemovePerson,
    WithdrawRole,
)
from shared.domain.events.person import (
    PersonEvent,
    PersonInvited,
    PersonRemoved,
    PersonRoleGranted,
    PersonRoleWithdrawn,
    Role,
)
from shared.domain.limits import Limits, Within, limits_from, names_of
from shared.domain.person import HeldGrant, PersonRights, evolve
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused, require_in_policy
from shared.security.sign_in_links import INVITATION_DAYS

INVITATION_LASTS = timedelta(days=INVITATION_DAYS)
"""How long the link of an invitation can be used."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory has of a person who is invited."""

    person: str
    email: str | None


def granted(
    command: GrantRole, rights: PersonRights, giver: Giver, *, is_known: bool
) -> Sequence[PersonEvent]:
    """Return the events of giving a role; raises `Refused`."""
    if not is_known:
        raise unknown_person(command.person)
    _require_readable(command.person, rights)
    limits = limits_from(command.clients, command.services, command.teams)
    _require_names(limits, giver.policy)
    _require_other(command.person, giver)
    _require_may_give(command.role, limits, giver)
    if command.role == "client" and not command.clients:
        raise Refused(
            "the role `client` is for people of a client: name it in `clients`",
            "invalid",
        )
    if command.until is not None and command.until <= giver.at:
        raise Refused("`until` is past: name an instant to come", "invalid")
    for held in rights.in_force(giver.at):
        if (held.role, held.limits, held.until) == (
            command.role,
            limits,
            command.until,
        ):
            return ()
    return (role_event(command.person, rights, giver, command.role, limits, command),)


def role_event(  # the fields of the event
    person: str,
    rights: PersonRights,
    giver: Giver,
    role: Role,
    limits: Limits,
    command: GrantRole | None = None,
) -> PersonRoleGranted:
    """Return the event that gives a role; without a command, an import gives it."""
    reason = command.reason if command else None
    given = {
        "at": giver.at,
        "by": giver.by,
        "whose": giver.by if reason else None,
        "person": person,
        "grant": f"{person}.{rights.version + 1}",
        "role": role,
        "until": command.until if command else None,
        "reason": reason,
        "imported": command is None,
    }
    return PersonRoleGranted.model_validate({**given, **names_of(limits)._asdict()})


def invited(
    command: InvitePerson, rights: PersonRights, giver: Giver, known: Sequence[Entry]
) -> Sequence[PersonEvent]:
    """Return the events of inviting a person; raises `Refused`.

    `known` are the entries with their id or with their address. The link signs in
    anyone who reads the mail: so nobody is given an address by an invitation, except
    somebody new, or by an administrator.
    """
    email = command.email.lower()
    for entry in known:
        has_it = (entry.email or "").lower() == email
        if entry.person != command.person and has_it:
            raise Refused(
                f"{entry.person} has this address already: invite them by this id",
                "address_taken",
            )
        if entry.person == command.person and not has_it:
            if entry.email:
                raise Refused(
                    f"{entry.person} has another address in the directory: import the "
                    "new one first",
                    "other_address",
                )
            require_administrator(giver)
    role = GrantRole.model_validate(
        command.model_dump(include=set(GrantRole.model_fields), exclude_unset=True)
    )
    given = granted(role, rights, giver, is_known=True)
    link = PersonInvited(
        at=giver.at,
        by=giver.by,
        person=command.person,
        until=giver.at + INVITATION_LASTS,
    )
    return (*given, link)


def withdrawn(
    command: WithdrawRole, rights: PersonRights, giver: Giver
) -> Sequence[PersonEvent]:
    """Return the events of withdrawing a role; raises `Refused`."""
    held = _held(command, rights)
    _require_may_give(held.role, held.limits, giver)
    return (withdrawal(command.person, held, giver, command.reason),)


def moved(
    command: MovePerson, rights: PersonRights, giver: Giver
) -> Sequence[PersonEvent]:
    """Return the events of moving a role to other teams; raises `Refused`.

    It takes the right to withdraw what there is, and the right to give what follows. A
    role that an import gave is still one that the next import may withdraw.
    """
    held = _held(command, rights)
    limits = Limits(held.limits.clients, held.limits.services, frozenset(command.teams))
    _require_names(limits, giver.policy)
    _require_other(command.person, giver)
    _require_may_give(held.role, held.limits, giver)
    _require_may_give(held.role, limits, giver)
    if not held.is_in_force(giver.at):
        raise Refused(
            f"the role {command.grant} is over: give a new one instead", "state"
        )
    if held.limits == limits:
        return ()
    gone = withdrawal(command.person, held, giver, command.reason)
    given = role_event(
        command.person, evolve(rights, gone), giver, held.role, limits
    ).model_copy(
        update={
            "whose": gone.whose,
            "until": held.until,
            "reason": command.reason,
            "imported": held.imported,
        }
    )
    return (gone, given)


def _held(command: WithdrawRole | MovePerson, rights: PersonRights) -> HeldGrant:
    held = rights.grants.get(command.grant)
    if held is None:
        _require_readable(command.person, rights)
        raise Refused(
            f"{command.person} has no role {command.grant}: it was withdrawn before, "
            "or see GET /v1/people/{id}/rights",
            "unknown_grant",
        )
    return held


def withdrawal(
    person: str, held: HeldGrant, giver: Giver, reason: str | None = None
) -> PersonRoleWithdrawn:
    """Return the event that withdraws a role."""
    return PersonRoleWithdrawn(
        at=giver.at,
        by=giver.by,
        whose=giver.by if reason else None,
        person=person,
        grant=held.grant,
        reason=reason,
    )


def removed(
    command: RemovePerson, rights: PersonRights, giver: Giver, *, is_known: bool
) -> Sequence[PersonEvent]:
    """Return the events of removing a person; raises `Refused`."""
    if not is_known:
        raise unknown_person(command.person)
    require_administrator(giver)
    _require_other(command.person, giver)
    by_hand = rights.removal is not None and not rights.removal.imported
    if rights.removed and by_hand and rights.unreadable is None:
        return ()  # of an import, somebody would come back with the next one
    return (removal(command.person, giver, command.reason),)


def removal(
    person: str, giver: Giver, reason: str | None = None, *, imported: bool = False
) -> PersonRemoved:
    """Return the event that removes a person."""
    return PersonRemoved(
        at=giver.at,
        by=giver.by,
        whose=giver.by if reason else None,
        person=person,
        reason=reason,
        imported=imported,
    )


def require_names(limits: Iterable[Limits], policy: Policy) -> None:
    """Raise `Refused` if a limit names something that the policy does not have."""
    for each in limits:
        _require_names(each, policy)


def _require_readable(person: str, rights: PersonRights) -> None:
    if rights.unreadable is not None:
        raise Refused(
            f"{rights.unreadable} about {person} cannot be read, so nobody knows what "
            "they may do: upgrade, or remove them",
            "state",
        )


def names_in_policy(policy: Policy) -> Mapping[str, Collection[str]]:
    """Return the names that a right may be limited to, by kind."""
    clients = {each.client for each in policy.contracts.values() if each.client}
    return {"teams": policy.teams, "services": policy.services, "clients": clients}


def _require_names(limits: Limits, policy: Policy) -> None:
    there = names_in_policy(policy)
    for kind, names in (
        ("teams", limits.teams),
        ("services", limits.services),
        ("clients", limits.clients),
    ):
        for name in sorted(names or ()):
            require_in_policy(kind.removesuffix("s"), name, there[kind])


def _require_other(person: str, giver: Giver) -> None:
    if person == giver.person:
        raise Refused(
            "nobody changes their own rights: ask another administrator", "role"
        )


def _require_may_give(role: Role, limits: Limits, giver: Giver) -> None:
    if "admin" in giver.scopes and _includes(giver.within("admin"), limits):
        return
    if "manager" not in giver.scopes:
        raise Refused(
            "you may not give or withdraw this: an administrator may, within their "
            "own limits",
            "role",
        )
    own = giver.own_teams()
    if role != "agent" or limits.teams is None or not limits.teams <= own:
        raise Refused(
            "a manager gives and withdraws the role of an agent in their own teams "
            f"({', '.join(sorted(own)) or 'none'}): name `teams`, or ask an "
            "administrator",
            "role",
        )
    if not _includes(giver.within("manager"), limits):
        raise Refused("this is more than you have: name less", "role")


def _includes(within: Within, limits: Limits) -> bool:
    return within is None or any(each.includes(limits) for each in within)
