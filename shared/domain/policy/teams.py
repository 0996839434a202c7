"""Teams by the ids of their people; names and addresses are in the directory.

E-mail addresses and telephone numbers: not for what is kept for ever.

Who is on call when. Overrides, swaps and absences are commands, not policy.

The desk itself: who owns every incident, and when one is over.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.domain.policy.clause import Clause, Count, Language, Name, Person
from shared.domain.policy.durations import Duration
from shared.domain.policy.local_times import LocalTime, Zone
from shared.domain.policy.targets import SupportLevel


class Team(Clause):
    """People who work together, and whom to tell when they cannot."""

    level: SupportLevel | None = None
    """Support level; none: a team incidents are not escalated to."""
    members: Annotated[tuple[Person, ...], Field(min_length=1)]
    manager: Person
    skills: Mapping[Name, tuple[Person, ...]] = {}
    """Who knows a service, where not all do; another is flagged, never refused."""
    takes: tuple[Literal["incident", "problem", "change"], ...] = ("incident",)
    """The kinds of records that may be given to this team."""


_EMAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:\+|00)[1-9](?:[ .()-]{0,2}\d){6,13}"  # international: +33 1 23 45 67 89
    r"|0\d(?:[ .-]?\d{2}){4}"  # French: 01 23 45 67 89
    r"|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North American: (514) 555-0123
    r")(?!\w)"
)


def contact_detail_in(text: str) -> str | None:
    """Return what kind of contact detail stands in `text`, or None."""
    if _EMAIL.search(text):
        return "an e-mail address"
    return "a telephone number" if _PHONE.search(text) else None


class Rotation(Clause):
    """Participants take turns, each `shift_length` hours, days, weeks or months."""

    type: Literal["hourly", "daily", "weekly", "monthly"]
    shift_length: Count = 1
    start: LocalTime
    """When the first participant's first turn begins."""
    participants: Annotated[tuple[Person, ...], Field(min_length=1)]


class Schedule(Clause):
    """A rotation in a zone."""

    timezone: Zone
    rotation: Rotation


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
