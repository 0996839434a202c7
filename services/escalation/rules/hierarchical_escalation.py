"""Hierarchical escalation: notifies managers of warnings, breaches and returns.

It does not move the incident.
"""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.rules.case import Alarm, Case
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.levels import found, named
from shared.domain.events.escalation import EscalationRaised
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import Notice


def raising(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the notices still due to managers: of the newest alarm, of returns."""
    policy = known.policy_of(case.policy)
    for alarm in (case.alarm, _to_and_fro(case, policy)):
        if alarm is None:
            continue
        for rule, notice in enumerate(policy.escalation.hierarchical):
            key = _key(case, alarm, rule)
            if alarm.on in notice.on and key not in case.raised:
                yield _raise(case, alarm, notice, key, policy)


def _to_and_fro(case: Case, policy: Policy) -> Alarm | None:
    """Return an alarm if it returned too often to teams that had it, once per cycle."""
    held = case.holders
    if held is None or held.returned_at is None:
        return None
    if held.returns < policy.escalation.ping_pong:
        return None
    return Alarm("ping_pong", None, case.cycle, held.returned_at)


def _key(case: Case, alarm: Alarm, rule: int) -> str:
    point = "" if alarm.percent is None else f"{alarm.percent}"
    if alarm.offset is not None:
        point = f"{alarm.offset:+}s"
    again = f".{alarm.retargets}" if alarm.retargets else ""
    return f"{case.incident}.{alarm.cycle}.{alarm.on}{point}.{rule}{again}"


def _raise(case: Case, alarm: Alarm, notice: Notice, key: str, policy: Policy) -> Due:
    offset = alarm.offset or 0
    held = case.holders if alarm.on == "ping_pong" else None
    returns = held.returns if held else None

    def events(at: datetime) -> list[EscalationRaised]:
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
                **named(notice.page),
                people=found(policy, notice.page, alarm.since),
                raised_at=alarm.since,
            )
        ]

    when = max(case.changed_at, alarm.since) if held else case.changed_at
    return Due(when, events)
