"""The desk itself: who owns every incident, and when one is over."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.policy.clause import Clause
from shared.policy.durations import Duration
from shared.policy.local_times import Zone
from shared.policy.names import Language, Name


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError as wrong:
        raise ValueError("write a day such as 2025-06-30") from wrong


Day = Annotated[str, AfterValidator(_day), Field(examples=["2025-06-30"])]


QueueOrder = Literal["working_time_left", "priority", "reported_at"]


class Recovery(Clause):
    """What a monitor's recovery signal does to the incident it opened."""

    restores: Literal["always"] = "always"
    """A recovery always restores the service."""
    resolves: Literal["unreported", "never", "always"] = "unreported"
    """It resolves what no person reported, nothing, or everything."""


class Desk(Clause):
    """The single point of contact."""

    team: Name
    """Owns every incident from the first contact until it is closed."""
    timezone: Zone
    """Zone of reports; users read their own."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """Languages the desk writes to users in; the first where a user names none."""
    close_after: Duration
    """How long a resolved incident waits for its user before it is closed."""
    reopen_within: Duration
    """Later than that after closing, a new incident linked to the old one."""
    calendar: Name | None = None
    """Calendar these two count in without a contract; none: the wall clock."""
    replies_reopen: Literal["closed", "resolved", "never"] = "closed"
    """What its user's reply reopens by itself: what is closed, since nobody would see
    it there; also what is resolved; nothing."""
    reply_tags_since: Day | None = None
    """Replies to mails that the desk sent before this day (UTC) prove nothing of who
    sent them; none: replies to any."""
    queue_order: QueueOrder = "working_time_left"
    """How open incidents are sorted where a reader names no `order`: what broke a
    promise, then the least working time left; by priority, and each priority like
    that; or the oldest first. What only awaits its closure is always last."""
    recovery: Recovery = Recovery()
    nats_monitor: Literal["accepted", "refused"] = "accepted"
    """Whether signals of the NATS user `monitor` are accepted. It may name any source:
    refuse it once each source connects with a key of its own."""
