"""What a user agreed to goes on counting when the promise itself changes."""

from datetime import datetime
from typing import Any

from services.sla_watcher.case import PolicyOf
from shared.domain.sla import Clock, TargetPromise, stood
from shared.domain.working_time import Hours, due, elapsed, hours_of


def lengthened(
    pledge: TargetPromise, clock: Clock, hours: Hours, at: datetime, policy_of: PolicyOf
) -> dict[str, Any]:
    """Return the seconds of a promise made again, with what was agreed about `clock`.

    What is longer counts. `hours` are those of the new promise; under others the
    agreement is the working time until the same instant.
    """
    if clock.agreed_seconds is None:
        return {"seconds": pledge.seconds}
    before = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    agreed = _under(hours, before, clock, clock.agreed_seconds, at)
    return {
        "seconds": max(pledge.seconds, agreed),
        "original_seconds": pledge.seconds if agreed > pledge.seconds else None,
        "agreed_seconds": agreed,
    }


def _under(hours: Hours, before: Hours, clock: Clock, agreed: int, at: datetime) -> int:
    if hours == before:
        return agreed
    stops = stood(clock, at)
    until = due(before, clock.started_at, agreed, stops)
    return elapsed(hours, clock.started_at, until, stops)
