"""Who manages a team: by the policy, or by a role within its limits."""

from collections.abc import Collection, Mapping

from shared.domain.limits import Within
from shared.domain.policy.document import Policy
from shared.messaging.commands import Scope
from shared.security.sender import GIVERS


def manages(
    policy: Policy,
    person: str,
    rights: Mapping[Scope, Within],
    teams: Collection[str],
    by: Collection[Scope] = GIVERS,
) -> bool:
    """Return whether a person manages one of these teams.

    `rights` are their scopes with the limits of each, of which those in `by` count. A
    role that is limited to some clients or services manages no team: a team works for
    others as well.
    """
    by_policy = any(policy.teams[name].manager == person for name in teams)
    return by_policy or any(
        _includes(rights[scope], teams) for scope in by if scope in rights
    )


def teams_of(policy: Policy, person: str) -> frozenset[str]:
    """Return the teams of which a person is a member."""
    return frozenset(
        name for name, team in policy.teams.items() if person in team.members
    )


def teams_using(policy: Policy, schedule: str) -> frozenset[str]:
    """Return the teams that name a schedule as theirs."""
    return frozenset(
        name for name, team in policy.teams.items() if team.schedule == schedule
    )


def _includes(within: Within, teams: Collection[str]) -> bool:
    return within is None or any(
        each.clients is None
        and each.services is None
        and (each.teams is None or not each.teams.isdisjoint(teams))
        for each in within
    )
