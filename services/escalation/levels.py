"""Functional escalation: when an incident leaves a support level, and where it goes.

Time at a level is working time as TTR counts it: not while a pause stops TTR, not while
service is back. What is overdue once terms change is due at that instant.
"""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.case import Case
from services.escalation.due import Due, on
from services.escalation.known import Known, Terms
from services.escalation.people import belongs
from shared.events.escalation import Escalated, EscalationAccepted
from shared.policy.document import Policy
from shared.policy.targets import SupportLevel
from shared.working_time import Span, due, is_open

RANK: dict[SupportLevel, int] = {"n1": 1, "n2": 2, "n3": 3}


def leaving(case: Case, known: Known) -> Iterator[Due]:
    """Yield each reason to go to another level, with its instant."""
    if case.stage != "at_work":
        return
    policy = known.policy_of(case.policy)
    if (given := _given_on(case, policy)) is not None:
        yield given
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
    """Return the next team of the service above the incident's level, None for none.

    `level`: only a team of that one.
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
    """Return that the incident goes to `team`."""
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


def _given_on(case: Case, policy: Policy) -> Due | None:
    """Giving it to a team of a higher level is escalating it by hand."""
    team = case.given_to
    level = policy.teams[team].level if team and team in policy.teams else None
    if team is None or level is None or RANK[level] <= RANK[case.post.level]:
        return None
    when, claim = case.changed_at, case.claim

    def events(at: datetime) -> list[Escalated | EscalationAccepted]:
        moved = escalated(case, at, policy, team, cause="by_hand", escalated_at=when)
        if claim is None or not belongs(policy, team, claim.person):
            return [moved]
        accepted = EscalationAccepted(
            **on(case, at),
            cycle=case.cycle,
            level=level,
            person=claim.person,
            how=claim.how,
        )
        return [moved, accepted]

    return Due(when, events)


def _alone(case: Case, team: str, policy: Policy, terms: Terms | None) -> Due | None:
    """A P1 that nobody at the desk can take goes on at once."""
    since = case.urgent_since
    if since is None or case.post.level != "n1":
        return None
    if terms is not None and is_open(terms.desk_hours, since):
        return None
    cause = "desk_closed" if terms else "no_contract"
    when = max(since, case.changed_at)

    def events(at: datetime) -> list[Escalated]:
        return [escalated(case, at, policy, team, cause=cause, escalated_at=when)]

    return Due(when, events)


def _overstayed(case: Case, team: str, policy: Policy, terms: Terms) -> Due | None:
    """It may stay at a level only so long; at n2 only until somebody accepts it."""
    post = case.post
    stay = terms.stay(post.level)
    stands = case.pause is not None and case.pause in terms.paused_by
    if stay is None or stands or (post.level != "n1" and post.accepted_by):
        return None
    try:
        used_up = due(terms.hours, post.counts_from, stay, _pauses(case, terms))
    except ValueError:  # the calendar closes for good before that
        return None
    when = max(used_up, post.entered_at, case.changed_at)

    def events(at: datetime) -> list[Escalated]:
        return [
            escalated(
                case,
                at,
                policy,
                team,
                cause="dwell",
                escalated_at=when,
                dwell_seconds=stay,
            )
        ]

    return Due(when, events)


def _pauses(case: Case, terms: Terms) -> list[Span]:
    return [
        (stood.since, stood.until)
        for stood in case.stood
        if stood.why == "restored" or stood.why in terms.paused_by
    ]
