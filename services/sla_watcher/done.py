"""When what a clock is about was done, by what the desk did."""

from datetime import datetime
from typing import Literal

from services.sla_watcher.case import Case, Post
from shared.domain.sla import OLAS, Clock, is_operational


def done_when(clock: Clock, case: Case) -> datetime | None:
    """Return when what was promised was done, None while it is not."""
    target = clock.name.target
    if is_operational(target):
        post = _post(clock, case)
        if OLAS[target].what == "work":
            return (post and post.left_at) or _resolved(clock, case)
        taken = post and (post.accepted_at or post.left_at)
        return taken or case.restored_at or case.resolved_at
    match target:
        case "tto":
            return case.acknowledged_at or case.restored_at or case.resolved_at
        case "ttr":
            return _resolved(clock, case)
        case "update":
            told = case.told_at > clock.started_at
            return case.told_at if told else case.resolved_at


def given_up(clock: Clock, case: Case) -> Literal["recovered", "escalated"] | None:
    """Return why nobody had to take it on any more, None where somebody did.

    Service came back before, or it went to another level.
    """
    target = clock.name.target
    if target == "tto":
        return "recovered" if case.acknowledged_at is None else None
    if not is_operational(target) or OLAS[target].what == "work":
        return None
    post = _post(clock, case)
    if post is None or post.accepted_at is not None:
        return None
    return "recovered" if post.left_at is None else "escalated"


def _post(clock: Clock, case: Case) -> Post | None:
    target = clock.name.target
    level = OLAS[target].level if is_operational(target) else None
    stays = [post for post in case.posts if post.level == level]
    return stays[clock.name.round - 1] if clock.name.round <= len(stays) else None


def _resolved(clock: Clock, case: Case) -> datetime | None:
    if clock.stops_at == "restored":
        return case.restored_at or case.resolved_at
    return case.resolved_at
