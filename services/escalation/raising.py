"""Hierarchical escalation: managers hear of warnings and breaches; nothing moves."""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.case import Alarm, Case
from services.escalation.due import Due, on
from services.escalation.known import Known
from services.escalation.people import found, named
from shared.events.escalation import EscalationRaised
from shared.policy.document import Policy
from shared.policy.escalation import Notice


def raising(case: Case, known: Known) -> Iterator[Due]:
    """Yield what managers are still to be told of the newest alarm."""
    alarm = case.alarm
    if alarm is None:
        return
    policy = known.policy_of(case.policy)
    for rule, notice in enumerate(policy.escalation.hierarchical):
        key = _key(case, alarm, rule)
        if alarm.on in notice.on and key not in case.raised:
            yield _raise(case, alarm, notice, key, policy)


def _key(case: Case, alarm: Alarm, rule: int) -> str:
    point = "" if alarm.percent is None else f"{alarm.percent}"
    if alarm.offset is not None:
        point = f"{alarm.offset:+}s"
    again = f".{alarm.retargets}" if alarm.retargets else ""
    return f"{case.incident}.{alarm.cycle}.{alarm.on}{point}.{rule}{again}"


def _raise(case: Case, alarm: Alarm, notice: Notice, key: str, policy: Policy) -> Due:
    offset = alarm.offset or 0

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
                **named(notice.page),
                people=found(policy, notice.page, alarm.since),
                raised_at=alarm.since,
            )
        ]

    return Due(case.changed_at, events)
