"""Functional escalation: when an incident leaves a support level, and where it goes.

An incident moves up by itself or by hand, and down only by hand.

Time at a level is working time counted as for TTR: it excludes pauses that stop TTR and
the time while the service is back. If a change of terms makes an escalation overdue, it
is due at the instant of that change.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter

from services.escalation.rules.case import Case
from services.escalation.rules.context import (
    ContractTerms,
    Due,
    EscalationContext,
    Limit,
    on,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationReturned,
)
from shared.domain.incident.relations import relations
from shared.domain.policy.document import Policy, unskilled
from shared.domain.policy.targets import RANK, SupportLevel
from shared.domain.working_time import due, is_open


def is_in_team(policy: Policy, team: str, person: str) -> bool:
    """Tell whether a person is a member of a team, or its manager."""
    return bool(relations(policy, team, person))


_Moved = Escalated | EscalationReturned | EscalationAccepted


def level_moves(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the move of an incident that was given to a team of another level."""
    if case.stage != "at_work":
        return
    if (given := _given(case, known.policy_of(case.policy))) is not None:
        yield given


def automatic_escalations(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield each reason for which it moves to the next level automatically."""
    policy = known.policy_of(case.policy)
    team = team_above(case, policy)
    if team is None or not case.searches or case.post.level == "n3":
        return
    terms = known.terms_of(
        case.policy,
        case.service,
        case.client,
        case.priority,
        case.reported_at,
        case.noticed,
    )
    if (alone := _alone(case, team, policy, terms)) is not None:
        yield alone
    if terms is not None and (overstayed := _overstayed(case, team, policy, terms)):
        yield overstayed


def team_above(case: Case, policy: Policy, level: str | None = None) -> str | None:
    """Return the next team of the service above the incident's level, None without one.

    With `level`, only a team of that level.
    """
    for name in policy.service(case.service).support:
        own = policy.teams[name].level if name in policy.teams else None
        above = own is not None and RANK[own] > RANK[case.post.level]
        if above and level in (None, own):
            return name
    return None


def escalated(
    case: Case, at: datetime, policy: Policy, team: str, **words: object
) -> Escalated:
    """Return the event that escalates the incident to `team`."""
    return Escalated.model_validate(
        on(case, at)
        | {
            "cycle": case.cycle,
            "from_level": case.post.level,
            "to_level": policy.teams[team].level,
            "team": team,
        }
        | words
    )


def _given(case: Case, policy: Policy) -> Due | None:
    """Return the move, up or down, of an incident given to a team of another level."""
    team = case.moves_to
    level = _level(case, policy, team) if team else None
    if team is None or level is None or level == case.post.level:
        return None
    when, claim = case.changed_at, case.claim

    def events(at: datetime) -> list[_Moved]:
        moved: _Moved
        if RANK[level] > RANK[case.post.level]:
            moved = escalated(
                case, at, policy, team, cause="by_hand", escalated_at=when
            )
        else:
            moved = _returned(case, at, team, level, when)
        if claim is None or level == "n1" or not is_in_team(policy, team, claim.person):
            return [moved]
        accepted = EscalationAccepted(
            **on(case, at),
            cycle=case.cycle,
            level=level,
            person=claim.person,
            how=claim.how,
            unskilled=unskilled(policy, team, case.service, [claim.person]),
        )
        return [moved, accepted]

    return Due(when, events)


def _level(case: Case, policy: Policy, team: str) -> SupportLevel | None:
    own = policy.teams[team].level if team in policy.teams else None
    return "n1" if own is None and team == case.desk_team else own


def _returned(
    case: Case, at: datetime, team: str, level: SupportLevel, when: datetime
) -> EscalationReturned:
    return EscalationReturned(
        **on(case, at),
        cycle=case.cycle,
        from_level=case.post.level,
        to_level=level,
        team=team,
        returned_at=when,
    )


def _alone(
    case: Case, team: str, policy: Policy, terms: ContractTerms | None
) -> Due | None:
    """A P1 that nobody at the desk can take escalates at once.

    If a person returned it, it stays, unless the desk is closed and nobody is assigned.
    """
    since, post = case.urgent_since, case.post
    if since is None or post.level != "n1":
        return None
    if post.returns and (terms is None or case.assignee is not None):
        return None
    since = max(since, post.entered_at)
    if terms is not None and is_open(terms.desk_hours, since):
        return None
    cause = "desk_closed" if terms else "no_contract"
    when = max(since, case.changed_at)

    def events(at: datetime) -> list[Escalated]:
        return [escalated(case, at, policy, team, cause=cause, escalated_at=when)]

    return Due(when, events)


def _overstayed(
    case: Case, team: str, policy: Policy, terms: ContractTerms
) -> Due | None:
    """A stay at a level is limited; above n1 only until somebody accepts."""
    post = case.post
    if post.level != "n1" and post.accepted_by:
        return None
    ends = [
        (used_up, limit)
        for limit in terms.limits(post.level)
        if (used_up := _used_up(case, limit)) is not None
    ]
    if not ends:
        return None
    used_up, limit = min(ends, key=itemgetter(0))
    when = max(used_up, post.entered_at, case.changed_at)
    words = {"cause": limit.cause, "dwell_seconds": limit.seconds}

    def events(at: datetime) -> list[Escalated]:
        return [escalated(case, at, policy, team, escalated_at=when, **words)]

    return Due(when, events)


def _used_up(case: Case, limit: Limit) -> datetime | None:
    """Return when the stay reaches the limit; None while a pause stops the clock.

    A question begins its pause when it is delivered: the limit may be reached before.
    """
    pauses = [
        (stood.since, stood.until)
        for stood in case.stood
        if stood.why == "restored" or stood.why in limit.paused_by
    ]
    try:
        used_up = due(limit.hours, case.post.counts_from, limit.seconds, pauses)
    except ValueError:  # the calendar has no further open hours before that
        return None
    paused_at = case.paused_at if case.pause in limit.paused_by else None
    return used_up if paused_at is None or used_up < paused_at else None
