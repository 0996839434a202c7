"""Hierarchical escalation: what managers are told, which does not move the incident.

They are notified of warnings, breaches and returns as the policy says; and of exhausted
escalations, again until somebody accepts.

An escalation is exhausted when all steps of the last level were tried, or when a level
has no step for the incident and nobody accepted it in time. The interval doubles, up to
an hour for P1 and P2 and up to a day for others; after `OFTEN` times it is a day. A
service that was down tells them once of what it missed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.escalation.rules.case import Alarm, Case
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.levels import team_above
from services.escalation.rules.page_targets import page_fields, target_of
from services.escalation.rules.paging import climbs
from shared.domain.events.escalation import EscalationExhausted, EscalationRaised
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import Notice, PageTeam
from shared.domain.policy.priorities import URGENT, Priority

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFTEN = 24
"""How often the manager is told before the interval is a day."""
_FIRST: dict[Priority, timedelta] = {
    "p1": timedelta(minutes=15),
    "p2": timedelta(minutes=15),
    "p3": HOUR,
    "p4": HOUR,
}
_DOUBLINGS_MAX = 10


def exhaustions(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the next time at which the manager is told that nobody accepted it."""
    post = case.post
    if not case.searches or post.level == "n1" or post.accepted_by is not None:
        return
    policy = known.policy_of(case.policy)
    when = _when(case, policy)
    if when is not None:
        yield _exhausted(case, when, post.exhausted + 1, known, policy)


def interval_after(number: int, priority: Priority, policy: Policy) -> timedelta:
    """Return how long after that many times the manager is told again."""
    first = policy.escalation.exhausted_every or _FIRST[priority]
    if number > OFTEN:
        return max(first, DAY)
    most = HOUR if priority in URGENT else DAY
    doubled: timedelta = first * 2 ** min(max(0, number - 1), _DOUBLINGS_MAX)
    return min(doubled, max(first, most))


def _when(case: Case, policy: Policy) -> datetime | None:
    post = case.post
    # A priority that was raised changes the intervals from then on.
    since = case.since_when(lambda each: each.priority == case.priority)
    if (told_at := post.exhausted_at) is not None:
        wait = interval_after(post.exhausted, case.priority, policy)
        return max(told_at, since or told_at) + wait
    if post.unanswered:
        above = team_above(case, policy)
        return (post.unanswered_at or case.changed_at) if above is None else None
    if climbs(case, policy):
        return None
    begins = max(post.searched_from, since or post.searched_from)
    return begins + interval_after(0, case.priority, policy)


def _exhausted(
    case: Case, when: datetime, number: int, known: EscalationContext, policy: Policy
) -> Due:
    post, page = case.post, PageTeam(who="manager")
    next_at = when + interval_after(number, case.priority, policy)
    target = target_of(policy, page, post.team, when, known.roster_of)

    def events(at: datetime) -> list[EscalationExhausted]:
        return [
            EscalationExhausted(
                **on(case, at),
                cycle=case.cycle,
                level=post.level,
                team=post.team,
                number=number,
                key=f"{case.incident}.{case.cycle}.{case.policy}.{post.level}"
                f".exhausted.{number}{post.stay}",
                people=target.people,
                quiet=case.priority not in URGENT,
                exhausted_at=when,
                next_at=next_at,
            )
        ]

    def last(until: datetime) -> Due:
        at, n = when, number
        while (following := at + interval_after(n, case.priority, policy)) <= until:
            at, n = following, n + 1
        return _exhausted(case, at, n, known, policy)

    return Due(when, events, last)


def manager_notices(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the notices still due to managers: of the newest alarm, of returns."""
    policy = known.policy_of(case.policy)
    for alarm in (case.alarm, _ping_pong(case, policy)):
        if alarm is None:
            continue
        for rule, notice in enumerate(policy.escalation.hierarchical):
            key = _notice_key(case, alarm, rule)
            if alarm.on in notice.on and key not in case.raised:
                yield _raise(case, alarm, notice, key, known)


def _ping_pong(case: Case, policy: Policy) -> Alarm | None:
    """Return an alarm if it returned too often to teams that had it, once per cycle."""
    held = case.holders
    if held is None or held.returned_at is None:
        return None
    if held.returns < policy.escalation.ping_pong:
        return None
    return Alarm("ping_pong", None, case.cycle, held.returned_at)


def _notice_key(case: Case, alarm: Alarm, rule: int) -> str:
    point = "" if alarm.percent is None else f"{alarm.percent}"
    if alarm.offset is not None:
        point = f"{alarm.offset:+}s"
    again = f".{alarm.retargets}" if alarm.retargets else ""
    return f"{case.incident}.{alarm.cycle}.{alarm.on}{point}.{rule}{again}"


def _raise(
    case: Case, alarm: Alarm, notice: Notice, key: str, known: EscalationContext
) -> Due:
    policy = known.policy_of(case.policy)
    offset = alarm.offset or 0
    held = case.holders if alarm.on == "ping_pong" else None
    returns = held.returns if held else None

    def events(at: datetime) -> list[EscalationRaised]:
        target = target_of(
            policy, notice.page, case.post.team, alarm.since, known.roster_of
        )
        return [
            EscalationRaised(
                **on(case, at),
                cycle=alarm.cycle,
                key=key,
                on=alarm.on,
                percent=alarm.percent,
                before_seconds=-offset if offset < 0 else None,
                after_seconds=offset if offset > 0 else None,
                returns=returns,
                **page_fields(policy, target.page),
                people=target.people,
                raised_at=alarm.since,
            )
        ]

    when = max(case.changed_at, alarm.since) if held else case.changed_at
    return Due(when, events)
