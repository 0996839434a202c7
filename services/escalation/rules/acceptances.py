"""Decides who may accept an incident at its level, who has, and how many have to."""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.rules.case import Case
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.levels import is_in_team
from services.escalation.rules.paging import chosen_steps
from shared.domain.events.escalation import EscalationAccepted
from shared.domain.incident.relations import People
from shared.domain.policy.document import Policy, unskilled


def acceptances(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the acceptance if one of the level's people took the incident on.

    These are the members of its team, its manager, and those who were paged.
    """
    post, claim = case.post, case.claim
    if post.level == "n1" or post.accepted_by or claim is None:
        return
    policy = known.policy_of(case.policy)
    # An earlier version did not take it for an acceptance, and wrote no `accepted_for`.
    counts = claim.was_paged and policy.escalation.accepted_for is not None
    if counts or is_in_team(policy, post.team, claim.person):
        person, how = claim.person, claim.how
        yield Due(case.changed_at, lambda at: [accepted(case, at, policy, person, how)])


def people_of(case: Case, known: EscalationContext, team: str | None = None) -> People:
    """Return the people of the incident at its level, or those of another team."""

    def policies() -> Iterator[Policy]:
        yield known.policy_of(case.policy)
        if (newest := known.newest_policy()) is not None:
            yield newest

    return People(team or case.post.team, policies, case.post.ever_asked)


def accepted(
    case: Case,
    at: datetime,
    policy: Policy,
    person: str,
    how: str,
    via: str | None = None,
) -> EscalationAccepted:
    """Return the event by which `person` accepts the incident at its level."""
    still_wanted = _still_wanted(case, policy, person)
    is_first_enough = not (still_wanted or case.post.has_enough)
    return EscalationAccepted.model_validate(
        on(case, at)
        | {
            "cycle": case.cycle,
            "level": case.post.level,
            "person": person,
            "how": how,
            "via": via,
            "others_paged": _others(case, person) if is_first_enough else None,
            "team_channels": _team_channels(case) if is_first_enough else None,
            "still_wanted": still_wanted or None,
            "unskilled": unskilled(policy, case.post.team, case.service, [person]),
        }
    )


def _others(case: Case, person: str) -> tuple[str, ...] | None:
    """Return who else was paged."""
    takers = {*case.post.takers, person}
    return tuple(each for each in case.post.asked if each not in takers) or None


def _team_channels(case: Case) -> tuple[str, ...] | None:
    return tuple(name for name, _ in case.post.team_channels) or None


def _still_wanted(case: Case, policy: Policy, person: str) -> int:
    """Return how many more have to accept it after a person did."""
    plan, _ = chosen_steps(case, policy)
    steps = (step for step in plan.steps if step.is_for(case.priority))
    most = max((step.acknowledgements for step in steps), default=1)
    return max(0, most - len({*case.post.takers, person}))
